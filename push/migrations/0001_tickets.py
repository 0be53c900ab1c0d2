import django.db.models.functions.datetime
from django.db import migrations, models

# The states of accounts whose epoch or sum of numbers is not the one that the caller knows. A process that pushes asks for all its
# accounts at once, which a policy of one account for each segment forbids; states have no content, and who may see them is decided
# before they leave the process. The numbers of a type only grow: who knows none that is too large, and the right sum, knows all.
CHANGED_STATES = """
CREATE FUNCTION changed_states(accounts bigint[], epochs text[], totals bigint[])
    RETURNS TABLE (account_id bigint, epoch text, type text, modseq bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT known.account_id, state.epoch, each.type, each.modseq
    FROM unnest(accounts, epochs, totals) AS known (account_id, epoch, total)
    CROSS JOIN LATERAL (SELECT s.epoch FROM account_state s WHERE s.account_id = known.account_id OFFSET 0) state
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(t.modseq), 0) AS total FROM type_state t WHERE t.account_id = known.account_id OFFSET 0
    ) summed
    LEFT JOIN LATERAL (
        SELECT t.type, t.modseq FROM type_state t WHERE t.account_id = known.account_id OFFSET 0
    ) each ON true
    WHERE state.epoch <> known.epoch OR summed.total <> known.total
$$;
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [("jmapcore", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Ticket",
            fields=[
                ("checksum", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("transport", models.TextField()),
                ("user_id", models.BigIntegerField()),
                ("credential", models.TextField()),
                ("proof", models.TextField(db_default="")),
                ("issued_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("first_used_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "push_ticket",
                "indexes": [models.Index(fields=["user_id", "issued_at"], name="push_ticket_of_user")],
            },
        ),
        migrations.RunSQL(CHANGED_STATES, "DROP FUNCTION changed_states"),
    ]
