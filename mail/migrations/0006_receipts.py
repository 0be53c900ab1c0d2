"""Receipts that submissions name, and whom vacation responses were sent to (docs/adr/0207)."""

from django.db import migrations, models

from jmapcore.store.policies import protect, unprotect

TABLES = ["submission_report", "vacation_sender"]

STORAGE = """
ALTER TABLE submission_report ADD CONSTRAINT submission_report_blob_fkey FOREIGN KEY (account_id, blob_id)
    REFERENCES blob (account_id, id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE submission_report ADD CONSTRAINT submission_report_submission_fkey FOREIGN KEY (account_id, submission_id)
    REFERENCES email_submission (account_id, id) DEFERRABLE INITIALLY DEFERRED;
"""

# Across accounts, so a function of the owner's, as with the change log (docs/adr/0005). The restricted role may run it: it
# forgets nobody who could still be owed silence.
SWEEP = """
CREATE FUNCTION forget_vacation_senders(most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    forgotten integer;
BEGIN
    DELETE FROM vacation_sender WHERE ctid = ANY(ARRAY(
        SELECT s.ctid FROM vacation_sender AS s WHERE s.answered_at < now() - interval '7 days'
        ORDER BY s.answered_at LIMIT most FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    RETURN forgotten;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("jmapcore", "0001_initial"), ("mail", "0005_outbound")]

    operations = [
        migrations.CreateModel(
            name="SubmissionReport",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id",
                        "submission_id",
                        "blob_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("account_id", models.BigIntegerField()),
                ("submission_id", models.IntegerField()),
                ("blob_id", models.IntegerField()),
            ],
            options={
                "db_table": "submission_report",
                "abstract": False,
                "base_manager_name": "objects",
                "indexes": [models.Index(fields=["account_id", "blob_id"], name="submission_report_blob")],
            },
        ),
        migrations.CreateModel(
            name="VacationSender",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id", "address", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("account_id", models.BigIntegerField()),
                ("address", models.TextField()),
                ("answered_at", models.DateTimeField()),
            ],
            options={
                "db_table": "vacation_sender",
                "abstract": False,
                "base_manager_name": "objects",
                "indexes": [models.Index(fields=["answered_at"], name="vacation_sender_age")],
            },
        ),
        migrations.RunSQL(STORAGE, migrations.RunSQL.noop),
        migrations.RunSQL(SWEEP, "DROP FUNCTION forget_vacation_senders"),
        migrations.RunSQL("".join(map(protect, TABLES)), "".join(map(unprotect, TABLES))),
    ]
