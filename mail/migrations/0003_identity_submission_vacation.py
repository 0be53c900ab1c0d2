"""Identities, submissions and their queue, vacation responses (RFC 8621 §6 to §8; docs/adr/0204)."""

from django.db import migrations, models

from jmapcore.store.policies import protect, unprotect

TABLES = ["identity", "email_submission", "vacation_response"]

# submission_queue has no policy: it says of every account what is due, and nothing else.
STORAGE = """
ALTER TABLE email_submission SET (fillfactor = 80);
ALTER TABLE submission_queue SET (fillfactor = 50);
ALTER TABLE vacation_response SET (fillfactor = 50);

ALTER TABLE email_submission ADD CONSTRAINT email_submission_blob_fkey FOREIGN KEY (account_id, blob_id)
    REFERENCES blob (account_id, id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE submission_queue ADD CONSTRAINT submission_queue_submission_fkey FOREIGN KEY (account_id, id)
    REFERENCES email_submission (account_id, id) DEFERRABLE INITIALLY DEFERRED;
"""

# Accounts that are there already. No change is logged: states that clients hold of these types are of another form.
EXISTING = """
WITH entitled (account_id, place, email, name) AS (
    SELECT a.id, 1, a.name, u.name FROM accounts_account AS a JOIN accounts_user AS u ON u.id = a.owner_id
    UNION ALL
    SELECT t.account_id, 2, l.address, u.name
    FROM accounts_aliastarget AS t JOIN accounts_alias AS l ON l.id = t.alias_id
    JOIN accounts_account AS a ON a.id = t.account_id JOIN accounts_user AS u ON u.id = a.owner_id
    UNION ALL
    SELECT d.catch_all_id, 3, '*@' || d.name, u.name
    FROM accounts_domain AS d JOIN accounts_account AS a ON a.id = d.catch_all_id
    JOIN accounts_user AS u ON u.id = a.owner_id
)
INSERT INTO identity (account_id, id, name, email, text_signature, html_signature, may_delete)
SELECT s.account_id, s.next_id - 1 + row_number() OVER (PARTITION BY s.account_id ORDER BY e.place, e.email),
    e.name, e.email, '', '', false
FROM entitled AS e JOIN account_state AS s ON s.account_id = e.account_id;

UPDATE account_state AS s SET next_id = s.next_id + g.given
FROM (SELECT account_id, count(*) AS given FROM identity GROUP BY account_id) AS g WHERE g.account_id = s.account_id;

INSERT INTO vacation_response (account_id, id, is_enabled) SELECT account_id, 0, false FROM account_state;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("jmapcore", "0001_initial"),
        ("mail", "0002_email_search"),
    ]

    operations = [
        migrations.CreateModel(
            name="Identity",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id", "id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("account_id", models.BigIntegerField()),
                ("id", models.IntegerField()),
                ("name", models.TextField()),
                ("email", models.TextField()),
                ("reply_to", models.JSONField(null=True)),
                ("bcc", models.JSONField(null=True)),
                ("text_signature", models.TextField()),
                ("html_signature", models.TextField()),
                ("may_delete", models.BooleanField()),
            ],
            options={
                "db_table": "identity",
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="VacationResponse",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id", "id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("account_id", models.BigIntegerField()),
                ("id", models.IntegerField()),
                ("is_enabled", models.BooleanField(default=False)),
                ("from_date", models.DateTimeField(null=True)),
                ("to_date", models.DateTimeField(null=True)),
                ("subject", models.TextField(null=True)),
                ("text_body", models.TextField(null=True)),
                ("html_body", models.TextField(null=True)),
            ],
            options={
                "db_table": "vacation_response",
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="EmailSubmission",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id", "id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("account_id", models.BigIntegerField()),
                ("id", models.IntegerField()),
                ("identity_id", models.IntegerField()),
                ("email_id", models.IntegerField()),
                ("thread_id", models.IntegerField()),
                ("envelope", models.JSONField()),
                ("send_at", models.DateTimeField()),
                ("undo_status", models.TextField()),
                ("delivery_status", models.JSONField()),
                ("dsn_blob_ids", models.JSONField()),
                ("mdn_blob_ids", models.JSONField()),
                ("blob_id", models.IntegerField(null=True)),
                ("user_id", models.BigIntegerField()),
                ("is_destroyed", models.BooleanField(default=False)),
            ],
            options={
                "db_table": "email_submission",
                "abstract": False,
                "base_manager_name": "objects",
                "indexes": [
                    models.Index(fields=["account_id", "send_at", "id"], name="email_submission_send_at"),
                    models.Index(fields=["account_id", "email_id"], name="email_submission_email"),
                    models.Index(
                        condition=models.Q(("blob_id__isnull", False)),
                        fields=["account_id", "blob_id"],
                        name="email_submission_blob",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SubmissionQueue",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id", "id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("account_id", models.BigIntegerField()),
                ("id", models.IntegerField()),
                ("due_at", models.DateTimeField()),
                ("leased_until", models.DateTimeField(null=True)),
                ("attempts", models.IntegerField(db_default=0)),
            ],
            options={
                "db_table": "submission_queue",
                "indexes": [models.Index(fields=["due_at"], name="submission_queue_due")],
            },
        ),
        migrations.RunSQL(STORAGE, migrations.RunSQL.noop),
        migrations.RunSQL("".join(map(protect, TABLES)), "".join(map(unprotect, TABLES))),
        migrations.RunSQL(EXISTING, migrations.RunSQL.noop),
    ]
