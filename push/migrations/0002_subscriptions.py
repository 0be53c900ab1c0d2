"""Web push: subscriptions, the keys that sign, and who has fallen behind (docs/adr/0302)."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

# The subscriptions of users whose accounts have moved since they were looked at last. Across accounts, so a function of the owner's
# that says nothing but numbers of subscriptions, as with the change log (docs/adr/0005). Which accounts: those of the gate.
BEHIND = """
CREATE FUNCTION push_subscriptions_behind(most integer) RETURNS SETOF bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT s.id FROM push_subscription s
    WHERE s.is_verified AND s.due_at IS NULL AND EXISTS (
        SELECT FROM (
            SELECT a.id FROM accounts_account a WHERE a.owner_id = s.user_id
            UNION ALL
            SELECT shared.id FROM accounts_grant g
            JOIN accounts_account shared ON shared.id = g.account_id
            JOIN accounts_user owner ON owner.id = shared.owner_id AND owner.is_active AND NOT owner.is_suspended
            JOIN accounts_user person ON person.id = g.user_id AND person.tenant_id = shared.tenant_id
            WHERE g.user_id = s.user_id
        ) AS account
        JOIN account_state state ON state.account_id = account.id
        WHERE (s.seen ->> account.id::text) IS DISTINCT FROM state.epoch || '-' || state.modseq
    )
    LIMIT most
$$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("push", "0001_tickets"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="VapidKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_key", models.TextField()),
                ("sealed_private_key", models.BinaryField()),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("retired_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "push_vapid_key",
                "constraints": [
                    models.UniqueConstraint(
                        models.Value(1), condition=models.Q(("retired_at", None)), name="push_vapid_key_one"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PushCreation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "push_creation",
                "indexes": [models.Index(fields=["created_at"], name="push_creation_age")],
            },
        ),
        migrations.CreateModel(
            name="PushSubscription",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.IntegerField()),
                ("owner", models.TextField()),
                ("sealed_endpoint", models.BinaryField()),
                ("device_client_id", models.TextField()),
                ("types", models.TextField(default="null")),
                ("email_push", models.TextField(default="null")),
                ("expires_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("code", models.TextField()),
                ("is_code_sent", models.BooleanField(default=False)),
                ("is_verified", models.BooleanField(default=False)),
                ("sent", models.TextField(default="{}")),
                ("seen", models.JSONField(default=dict)),
                ("arrived", models.TextField(default="{}")),
                ("due_at", models.DateTimeField(null=True)),
                ("not_before", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("notices", models.BigIntegerField(default=0)),
                ("failures", models.IntegerField(default=0)),
                ("gap_seconds", models.FloatField(default=0)),
                ("lease", models.BigIntegerField(null=True)),
                ("leased_until", models.DateTimeField(null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "vapid_key",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="push.vapidkey",
                    ),
                ),
            ],
            options={
                "db_table": "push_subscription",
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)),
                        fields=["due_at"],
                        name="push_subscription_due",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("user", "number"), name="push_subscription_number")
                ],
            },
        ),
        migrations.RunSQL(BEHIND, "DROP FUNCTION push_subscriptions_behind"),
    ]
