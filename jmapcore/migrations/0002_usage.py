"""Usage and limits of accounts (docs/adr/0208). What accounts hold already is counted by the app that knows it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jmapcore", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="AccountHeld",
            fields=[
                ("account_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("level", models.SmallIntegerField()),
            ],
            options={"db_table": "account_held"},
        ),
        *(
            migrations.AddField("accountstate", name, models.BigIntegerField(db_default=0))
            for name in ("used_octets", "used_objects")
        ),
        *(
            migrations.AddField("accountstate", name, models.BigIntegerField(null=True))
            for name in (
                "octets_limit",
                "objects_limit",
                "octets_soft",
                "objects_soft",
                "octets_warn",
                "objects_warn",
            )
        ),
    ]
