"""App passwords in the administration site: the secret is shown once, in the message after it was made."""

from __future__ import annotations

from django.contrib import admin, messages
from django.forms import ModelForm
from django.http import HttpRequest

from accounts.admin.site import SuperuserAdmin, adopt
from accounts.credentials import create_app_password
from accounts.models import AppPassword


@admin.register(AppPassword)
class AppPasswordAdmin(SuperuserAdmin):
    """App passwords; deleting one revokes it at once."""

    list_display = ("label", "user", "created_on", "last_used")
    list_select_related = ("user",)
    search_fields = ("user__address__startswith",)
    autocomplete_fields = ("user",)
    ordering = ("id",)

    def get_fields(self, request: HttpRequest, obj: AppPassword | None = None) -> tuple[str, ...]:
        """What to ask for, or to show."""
        return ("user", "label", "created", "last_used") if obj else ("user", "label")

    def get_readonly_fields(self, request: HttpRequest, obj: AppPassword | None = None) -> list[str]:
        """Only the label may change."""
        return ["user", "created", "last_used"] if obj else []

    def save_model(
        self, request: HttpRequest, obj: AppPassword, form: ModelForm[AppPassword], change: bool
    ) -> None:
        """Make the password and show its secret; or write another label."""
        if change:
            obj.save()
            return
        created, secret = create_app_password(obj.user, obj.label)
        adopt(obj, created)
        messages.warning(request, f"The app password is {secret} and will not be shown again.")
