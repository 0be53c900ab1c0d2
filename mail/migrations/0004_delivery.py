"""Deliveries: which messages came of late, and what users chose (docs/adr/0205)."""

import django.db.models.functions.datetime
from django.db import migrations, models

from jmapcore.store.policies import protect, unprotect

TABLES = ["delivered_message", "delivery_preference"]

# Across accounts, so a function of the owner's, as with the change log (docs/adr/0005). The restricted role may run it.
SWEEP = """
CREATE FUNCTION forget_delivered_messages(age interval, most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    forgotten integer;
BEGIN
    DELETE FROM delivered_message WHERE ctid = ANY(ARRAY(
        SELECT d.ctid FROM delivered_message AS d WHERE d.delivered_at < now() - greatest(age, interval '24 hours')
        ORDER BY d.delivered_at LIMIT most FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    RETURN forgotten;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("jmapcore", "0001_initial"), ("mail", "0003_identity_submission_vacation")]

    operations = [
        migrations.CreateModel(
            name="DeliveredMessage",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id", "hash", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("account_id", models.BigIntegerField()),
                ("hash", models.BinaryField()),
                (
                    "delivered_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
            options={
                "db_table": "delivered_message",
                "abstract": False,
                "base_manager_name": "objects",
                "indexes": [models.Index(fields=["delivered_at"], name="delivered_message_age")],
            },
        ),
        migrations.CreateModel(
            name="DeliveryPreference",
            fields=[
                ("account_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("files_details", models.BooleanField(default=False)),
            ],
            options={
                "db_table": "delivery_preference",
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.RunSQL(SWEEP, "DROP FUNCTION forget_delivered_messages"),
        migrations.RunSQL("".join(map(protect, TABLES)), "".join(map(unprotect, TABLES))),
    ]
