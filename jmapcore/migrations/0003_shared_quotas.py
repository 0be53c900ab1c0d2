"""What domains, tenants and everything together hold: summed up, and shown to administrators (docs/adr/0208)."""

from django.db import migrations, models

from jmapcore.store.policies import protect, unprotect

# Across accounts, so functions of the owner's, as with the change log (docs/adr/0005). The restricted role may run them, and they
# tell it sums and ids of accounts, nothing else. The first answers false where another has begun it at the same time.
FUNCTIONS = """
CREATE FUNCTION sum_usage() RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('sum_usage')) THEN
        RETURN false;
    END IF;
    INSERT INTO domain_usage (domain_id, octets, objects_held)
    SELECT d.id, coalesce(s.octets, 0), coalesce(s.objects, 0)
    FROM accounts_domain d LEFT JOIN (
        SELECT u.domain_id, sum(t.used_octets) AS octets, sum(t.used_objects) AS objects
        FROM account_state t JOIN accounts_account a ON a.id = t.account_id JOIN accounts_user u ON u.id = a.owner_id
        GROUP BY u.domain_id
    ) s ON s.domain_id = d.id
    ON CONFLICT (domain_id) DO UPDATE SET octets = excluded.octets, objects_held = excluded.objects_held
    WHERE (domain_usage.octets, domain_usage.objects_held) <> (excluded.octets, excluded.objects_held);
    INSERT INTO tenant_usage (tenant_id, octets, objects_held)
    SELECT t.id, coalesce(s.octets, 0), coalesce(s.objects, 0)
    FROM accounts_tenant t LEFT JOIN (
        SELECT d.tenant_id, sum(u.octets) AS octets, sum(u.objects_held) AS objects
        FROM accounts_domain d JOIN domain_usage u ON u.domain_id = d.id GROUP BY d.tenant_id
    ) s ON s.tenant_id = t.id
    ON CONFLICT (tenant_id) DO UPDATE SET octets = excluded.octets, objects_held = excluded.objects_held
    WHERE (tenant_usage.octets, tenant_usage.objects_held) <> (excluded.octets, excluded.objects_held);
    RETURN true;
END $$;

CREATE FUNCTION accounts_with_other_limits(default_octets bigint, default_objects bigint, warn_percent integer)
    RETURNS SETOF bigint LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT s.account_id FROM account_state s
    JOIN account_limits(default_octets, default_objects, warn_percent) l ON l.account_id = s.account_id
    WHERE (s.octets_limit, s.octets_soft, s.octets_warn, s.objects_limit, s.objects_soft, s.objects_warn)
        IS DISTINCT FROM (l.octets_limit, l.octets_soft, l.octets_warn, l.objects_limit, l.objects_soft, l.objects_warn)
    ORDER BY s.account_id
$$;

CREATE FUNCTION accounts_with_shared_quotas() RETURNS SETOF bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT DISTINCT account_id FROM shared_quota ORDER BY account_id
$$;

CREATE FUNCTION usage_of_accounts(accounts bigint[])
    RETURNS TABLE (account_id bigint, octets bigint, objects bigint, octets_limit bigint, octets_soft bigint,
                   octets_warn bigint, objects_limit bigint, objects_soft bigint, objects_warn bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT s.account_id, s.used_octets, s.used_objects, s.octets_limit, s.octets_soft, s.octets_warn,
        s.objects_limit, s.objects_soft, s.objects_warn
    FROM account_state s WHERE s.account_id = ANY(accounts)
$$;
"""
NO_FUNCTIONS = """
DROP FUNCTION usage_of_accounts(bigint[]);
DROP FUNCTION accounts_with_shared_quotas();
DROP FUNCTION accounts_with_other_limits(bigint, bigint, integer);
DROP FUNCTION sum_usage();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_quotas"), ("jmapcore", "0002_usage")]

    operations = [
        migrations.CreateModel(
            name="SharedQuota",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id", "id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("account_id", models.BigIntegerField()),
                ("id", models.IntegerField()),
                ("scope", models.TextField()),
                ("subject", models.BigIntegerField()),
                ("name", models.TextField()),
                ("resource", models.TextField()),
                ("used", models.BigIntegerField()),
                ("hard", models.BigIntegerField()),
                ("soft", models.BigIntegerField(null=True)),
                ("warn", models.BigIntegerField(null=True)),
            ],
            options={
                "db_table": "shared_quota",
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account_id", "scope", "subject", "resource"), name="shared_quota_once"
                    )
                ],
            },
        ),
        migrations.RunSQL(protect("shared_quota"), unprotect("shared_quota")),
        migrations.RunSQL(FUNCTIONS, NO_FUNCTIONS),
    ]
