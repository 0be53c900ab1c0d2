"""The full-text index of mail: `email_search`, hash partitioned by account (docs/adr/0202)."""

from django.contrib.postgres.search import SearchVectorField
from django.db import migrations, models

from jmapcore.store.policies import protect, unprotect

PARTITIONS = 16
"""A tenant that goes leaves dead entries in the index of few; each search plans and locks all of them."""

_PARTS = "".join(
    f"""
CREATE TABLE email_search_{part:02} PARTITION OF email_search FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {part})
    WITH (toast_tuple_target = 128);
ALTER TABLE email_search_{part:02} ENABLE ROW LEVEL SECURITY;
"""
    for part in range(PARTITIONS)
)

# The primary key is led by id: no index is by account, for the planner would combine its bitmap with that of the words. Words
# that are more than a few lie beside their rows, and are not compressed, which costs more than it saves: whoever finds a thousand
# Emails reads fewer pages. The policies of the whole do not hold for a
# part that is named directly: without policies of its own it refuses everything.
EMAIL_SEARCH = f"""
CREATE TABLE email_search (
    account_id bigint NOT NULL,
    id integer NOT NULL,
    thread_id integer NOT NULL,
    received_at timestamptz NOT NULL,
    tsv tsvector NOT NULL,
    PRIMARY KEY (id, account_id)
) PARTITION BY HASH (account_id);
ALTER TABLE email_search ALTER COLUMN tsv SET STORAGE EXTERNAL;
CREATE INDEX email_search_tsv ON email_search USING gin (tsv) WITH (fastupdate = on, gin_pending_list_limit = 128);
{_PARTS}
"""


class Migration(migrations.Migration):
    dependencies = [("mail", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="EmailSearch",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "id", "account_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("account_id", models.BigIntegerField()),
                ("id", models.IntegerField()),
                ("thread_id", models.IntegerField()),
                ("received_at", models.DateTimeField()),
                ("tsv", SearchVectorField()),
            ],
            options={
                "db_table": "email_search",
                "abstract": False,
                "managed": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.RunSQL(EMAIL_SEARCH, "DROP TABLE email_search"),
        # `@@` is not leakproof: behind any other policy it could not use the index.
        migrations.RunSQL(protect("email_search", read="true"), unprotect("email_search")),
    ]
