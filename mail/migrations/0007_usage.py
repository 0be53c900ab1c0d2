"""What accounts hold already is counted into their usage (docs/adr/0208)."""

from django.db import migrations

COUNT = """
    UPDATE account_state AS s SET used_octets = e.octets, used_objects = e.objects
    FROM (SELECT account_id, sum(size) AS octets, count(*) AS objects FROM email GROUP BY account_id) AS e
    WHERE s.account_id = e.account_id"""


class Migration(migrations.Migration):
    dependencies = [("jmapcore", "0002_usage"), ("mail", "0006_receipts")]

    operations = [migrations.RunSQL(COUNT, migrations.RunSQL.noop)]
