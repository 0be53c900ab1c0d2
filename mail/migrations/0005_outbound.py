"""Submissions on their way: tokens, progress, limits, keys, and what a relay offers (docs/adr/0206)."""

import django.contrib.postgres.fields
from django.db import migrations, models

# Submissions that are there already get a token too, of the letters that base32 has.
TOKENS = """
UPDATE email_submission SET envelope_id = substr(
    translate(replace(gen_random_uuid()::text, '-', ''), '0189', 'ghij'), 1, 12)
    || substr(translate(replace(gen_random_uuid()::text, '-', ''), '0189', 'ghij'), 1, 8)
WHERE envelope_id = '';
UPDATE submission_queue AS q SET give_up_at = s.send_at + interval '5 days'
FROM email_submission AS s WHERE s.account_id = q.account_id AND s.id = q.id AND q.give_up_at IS NULL;
"""
STORAGE = "ALTER TABLE sent_recipients SET (fillfactor = 50);"


class Migration(migrations.Migration):
    dependencies = [("mail", "0004_delivery")]

    operations = [
        migrations.CreateModel(
            name="DkimKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("domain", models.CharField(max_length=253)),
                ("selector", models.CharField(max_length=63)),
                ("tenant_id", models.BigIntegerField()),
                ("private_key", models.BinaryField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={"db_table": "dkim_key"},
        ),
        migrations.CreateModel(
            name="RelayOffer",
            fields=[
                ("relay", models.TextField(primary_key=True, serialize=False)),
                ("extensions", models.JSONField()),
                ("learned_at", models.DateTimeField()),
            ],
            options={"db_table": "relay_offer"},
        ),
        migrations.CreateModel(
            name="SentRecipients",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id",
                        "user_id",
                        "minute",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("tenant_id", models.BigIntegerField()),
                ("user_id", models.BigIntegerField()),
                ("minute", models.DateTimeField()),
                ("recipients", models.IntegerField()),
            ],
            options={"db_table": "sent_recipients"},
        ),
        migrations.AddField(
            model_name="emailsubmission",
            name="envelope_id",
            field=models.TextField(default=""),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="emailsubmission",
            name="reports",
            field=models.JSONField(db_default=models.Value([], models.JSONField()), default=list),
        ),
        migrations.AddField(
            model_name="submissionqueue", name="give_up_at", field=models.DateTimeField(null=True)
        ),
        migrations.AddField(
            model_name="submissionqueue",
            name="taken",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.IntegerField(),
                db_default=models.Value(
                    [], django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=None)
                ),
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="submissionqueue", name="told_delay", field=models.BooleanField(db_default=False)
        ),
        migrations.AddIndex(
            model_name="emailsubmission",
            index=models.Index(fields=["account_id", "envelope_id"], name="email_submission_envelope"),
        ),
        migrations.AddConstraint(
            model_name="dkimkey",
            constraint=models.UniqueConstraint(fields=("domain", "selector"), name="dkim_key_selector"),
        ),
        migrations.AddIndex(
            model_name="sentrecipients",
            index=models.Index(
                fields=["tenant_id", "minute"], include=("recipients",), name="sent_recipients_tenant"
            ),
        ),
        migrations.AddIndex(
            model_name="sentrecipients",
            index=models.Index(fields=["minute"], name="sent_recipients_minute"),
        ),
        migrations.RunSQL(STORAGE, migrations.RunSQL.noop),
        migrations.RunSQL(TOKENS, migrations.RunSQL.noop),
    ]
