"""What suspension means for mail: it is refused. No table changes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_search_languages")]

    operations = [
        migrations.AlterField(
            model_name="tenant",
            name="is_suspended",
            field=models.BooleanField(
                default=False,
                help_text="Nobody of this tenant may sign in while this is set. Mail is refused.",
            ),
        ),
        migrations.AlterField(
            model_name="user",
            name="is_suspended",
            field=models.BooleanField(default=False, help_text="May not sign in. Mail is refused."),
        ),
    ]
