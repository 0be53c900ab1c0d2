"""The languages of an account's mail, by which words are searched, and when its index was last asked to follow them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_quotas")]

    operations = [
        migrations.AddField(
            model_name="account",
            name="search_languages",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Languages whose words searches know in all their forms, such as english german. "
                "Empty: those of the server.",
                max_length=200,
            ),
        ),
        migrations.AddField(
            model_name="account",
            name="index_due_since",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddIndex(
            model_name="account",
            index=models.Index(
                fields=["index_due_since"],
                name="account_index_due",
                condition=models.Q(("index_due_since__isnull", False)),
            ),
        ),
    ]
