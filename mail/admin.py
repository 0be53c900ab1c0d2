"""What mail adds to the administration site: an account's page also says how its mail is delivered."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest

from accounts.admin.tenancy import AccountAdmin
from accounts.models import Account
from jmapcore.store import database
from jmapcore.store.database import django_connection
from jmapcore.store.write import account_write
from mail.delivery.preferences import files_details, set_files_details


class AccountDeliveryForm(forms.ModelForm):  # type: ignore[type-arg]
    """An account, and what its owner chose for mail that comes in."""

    files_details = forms.BooleanField(
        label="File by detail",
        required=False,
        help_text="Mail to user+detail@… goes to the mailbox named detail, where there is one without a role.",
    )

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        if self.instance.pk is not None:
            with database.connection() as connection:
                self.fields["files_details"].initial = files_details(connection, self.instance.pk)


admin.site.unregister(Account)


@admin.register(Account)
class AccountDeliveryAdmin(AccountAdmin):
    """Personal accounts, with what follows from mail."""

    form = AccountDeliveryForm

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        """Those of the account, and what is delivered where."""
        return [*super().get_fields(request, obj), "files_details"]

    def save_model(self, request: HttpRequest, obj: Account, form: ModelForm[Account], change: bool) -> None:
        """Save what was chosen in the account's own write."""
        super().save_model(request, obj, form, change)
        if "files_details" in form.changed_data:
            with account_write(obj.pk, django_connection()) as write:
                set_files_details(write, on=form.cleaned_data["files_details"])
