"""Limits of what accounts hold, the sums of tenants and domains, and who sees those (docs/adr/0208)."""

import django.db.models.deletion
from django.db import migrations, models

# The limits that hold for accounts: the nearest that is set, an account's own, its domain's for each account, its tenant's
# for each account, else the default. A plain SQL function: the planner looks into it, and goes by index for one account.
_NEAREST = (
    "CASE WHEN {0}1.id IS NOT NULL THEN {0}1.{1} WHEN {0}2.id IS NOT NULL THEN {0}2.{1} ELSE {0}3.{1} END"
)


def _columns(letter: str, name: str, default: str) -> str:
    is_set = f"coalesce({letter}1.id, {letter}2.id, {letter}3.id) IS NOT NULL"
    hard = f"CASE WHEN {is_set} THEN {_NEAREST.format(letter, 'hard')} ELSE {default} END"
    soft = _NEAREST.format(letter, "soft")
    warn = f"coalesce({_NEAREST.format(letter, 'warn')}, least({hard}, {soft}) * nullif($3, 0) / 100)"
    return f"{hard} AS {name}_limit, {soft} AS {name}_soft, {warn} AS {name}_warn"


def _joins(letter: str, resource: str) -> str:
    return f"""
    LEFT JOIN accounts_quotalimit {letter}1 ON {letter}1.account_id = a.id AND {letter}1.resource = '{resource}'
    LEFT JOIN accounts_quotalimit {letter}2
        ON {letter}2.domain_id = u.domain_id AND {letter}2.each_account AND {letter}2.resource = '{resource}'
    LEFT JOIN accounts_quotalimit {letter}3
        ON {letter}3.tenant_id = a.tenant_id AND {letter}3.each_account AND {letter}3.resource = '{resource}'"""


_RESOURCES = "(VALUES (0, 'octets'), (1, 'count')) AS r (n, resource)"


def _sum(scope: str, columns: str, source: str, limits: str, default: int) -> str:
    used = "CASE r.n WHEN 0 THEN x.octets ELSE x.objects_held END"
    return f"""
        SELECT '{scope}', {columns}, r.resource, coalesce({used}, 0)::bigint,
            CASE WHEN l.id IS NOT NULL THEN l.hard ELSE defaults[{default} + r.n] END, l.soft, l.warn
        FROM {source} CROSS JOIN {_RESOURCES} LEFT JOIN accounts_quotalimit l
            ON {limits} AND NOT l.each_account AND l.resource = r.resource"""  # noqa: S608 - constants alone


_SUMS = " UNION ALL ".join(
    (
        _sum(
            "domain",
            "d.id, d.tenant_id, d.name",
            "accounts_domain d LEFT JOIN domain_usage x ON x.domain_id = d.id",
            "l.domain_id = d.id",
            1,
        ),
        _sum(
            "tenant",
            "NULL::bigint, t.id, t.name",
            "accounts_tenant t LEFT JOIN tenant_usage x ON x.tenant_id = t.id",
            "l.tenant_id = t.id",
            3,
        ),
        _sum(
            "server",
            "NULL::bigint, NULL::bigint, ''",
            "(SELECT sum(octets) AS octets, sum(objects_held) AS objects_held FROM tenant_usage) x",
            "l.tenant_id IS NULL AND l.domain_id IS NULL AND l.account_id IS NULL",
            5,
        ),
    )
)

LIMITS = f"""
CREATE FUNCTION account_limits(default_octets bigint, default_objects bigint, warn_percent integer)
RETURNS TABLE (account_id bigint, octets_limit bigint, octets_soft bigint, octets_warn bigint,
               objects_limit bigint, objects_soft bigint, objects_warn bigint)
LANGUAGE sql STABLE AS $$
    SELECT a.id, {_columns("o", "octets", "$1")}, {_columns("c", "objects", "$2")}
    FROM accounts_account a JOIN accounts_user u ON u.id = a.owner_id
    {_joins("o", "octets")} {_joins("c", "count")}
$$;

-- What domains, tenants and everything together hold, where that is limited. `defaults` are hard limits: octets and objects of
-- a domain, of a tenant, of everything.
CREATE FUNCTION quota_sums(defaults bigint[], warn_percent integer)
RETURNS TABLE (scope text, domain_id bigint, tenant_id bigint, name text, resource text, used bigint,
               hard bigint, soft bigint, warn bigint)
LANGUAGE sql STABLE AS $$
    SELECT s.scope, s.domain_id, s.tenant_id, s.name, s.resource, s.used, s.hard, s.soft,
        coalesce(s.warn, least(s.hard, s.soft) * nullif(warn_percent, 0) / 100)
    FROM ({_SUMS}
    ) AS s (scope, domain_id, tenant_id, name, resource, used, hard, soft, warn)
    WHERE s.hard IS NOT NULL
$$;
"""  # noqa: S608 - constants alone
NO_LIMITS = (
    "DROP FUNCTION quota_sums(bigint[], integer); DROP FUNCTION account_limits(bigint, bigint, integer);"
)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="DomainUsage",
            fields=[
                (
                    "domain",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="usage",
                        serialize=False,
                        to="accounts.domain",
                    ),
                ),
                ("octets", models.BigIntegerField(default=0)),
                ("objects_held", models.BigIntegerField(default=0)),
            ],
            options={"db_table": "domain_usage"},
        ),
        migrations.CreateModel(
            name="TenantUsage",
            fields=[
                (
                    "tenant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="usage",
                        serialize=False,
                        to="accounts.tenant",
                    ),
                ),
                ("octets", models.BigIntegerField(default=0)),
                ("objects_held", models.BigIntegerField(default=0)),
            ],
            options={"db_table": "tenant_usage"},
        ),
        migrations.AddField(
            model_name="user",
            name="administers",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "nothing"),
                    ("domain", "the own domain"),
                    ("tenant", "the own tenant with all its domains"),
                    ("server", "the whole service, and the own tenant"),
                ],
                default="",
                help_text="Whose quotas mail programs show to this user, besides that of the own account.",
                max_length=6,
            ),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(
                fields=["id"], name="user_administers", condition=models.Q(("administers", ""), _negated=True)
            ),
        ),
        migrations.CreateModel(
            name="QuotaLimit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "each_account",
                    models.BooleanField(
                        default=False,
                        help_text="What each account may hold, not all of them together.",
                        verbose_name="for each account",
                    ),
                ),
                (
                    "resource",
                    models.CharField(choices=[("octets", "octets"), ("count", "messages")], max_length=6),
                ),
                (
                    "hard",
                    models.BigIntegerField(
                        blank=True, help_text="Empty: no limit.", null=True, verbose_name="hard limit"
                    ),
                ),
                (
                    "soft",
                    models.BigIntegerField(
                        blank=True,
                        help_text="From here on users can add nothing, and mail still comes in.",
                        null=True,
                        verbose_name="soft limit",
                    ),
                ),
                (
                    "warn",
                    models.BigIntegerField(
                        blank=True,
                        help_text="From here on programs may warn. Empty: a share of the lowest limit (QUOTA_WARN_PERCENT).",
                        null=True,
                        verbose_name="warning",
                    ),
                ),
                *(
                    (
                        name,
                        models.ForeignKey(
                            blank=True,
                            null=True,
                            on_delete=django.db.models.deletion.CASCADE,
                            related_name="quota_limits",
                            to=f"accounts.{name}",
                        ),
                    )
                    for name in ("account", "domain", "tenant")
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("domain__isnull", True), ("tenant__isnull", True)),
                            models.Q(("account__isnull", True), ("tenant__isnull", True)),
                            models.Q(("account__isnull", True), ("domain__isnull", True)),
                            _connector="OR",
                        ),
                        name="quota_limit_of_one",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("each_account", False),
                            ("tenant__isnull", False),
                            ("domain__isnull", False),
                            _connector="OR",
                        ),
                        name="quota_limit_each_account_of_many",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("hard__isnull", True), ("soft__isnull", True), ("warn__isnull", True)),
                            ("hard__gte", 0),
                            _connector="OR",
                        ),
                        name="quota_limit_hard",
                    ),
                    *(
                        models.CheckConstraint(
                            condition=models.Q(
                                (f"{name}__isnull", True),
                                models.Q((f"{name}__gte", 0), (f"{name}__lte", models.F("hard"))),
                                _connector="OR",
                            ),
                            name=f"quota_limit_{name}",
                        )
                        for name in ("soft", "warn")
                    ),
                    models.UniqueConstraint(
                        fields=("tenant", "domain", "account", "each_account", "resource"),
                        name="quota_limit_once",
                        nulls_distinct=False,
                    ),
                ],
            },
        ),
        migrations.RunSQL(LIMITS, NO_LIMITS),
    ]
