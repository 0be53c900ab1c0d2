"""Users in the administration site, made through provisioning like everywhere else."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from accounts import provisioning
from accounts.admin.site import SuperuserAdmin, adopt
from accounts.models import AppPassword, User
from accounts.provisioning import ProvisioningError


class UserAddForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new user of the tenant whose domain the address is in."""

    new_password = forms.CharField(
        label="Password",
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Empty: no account password; the user signs in with app passwords or OAuth alone.",
    )

    class Meta:
        model = User
        fields = ("address", "name", "may_use_account_password")

    def clean_address(self) -> str:
        """The address as it will be stored, free to take."""
        try:
            return provisioning.free_address(self.cleaned_data["address"])
        except ProvisioningError as error:
            raise ValidationError(str(error)) from error

    def clean_new_password(self) -> str:
        """A password that is good enough, or none."""
        password: str = self.cleaned_data["new_password"]
        if password:
            validate_password(password, self.instance)
        return password


class AppPasswordInline(admin.TabularInline):  # type: ignore[type-arg]
    """The app passwords of a user: to be seen and revoked; new ones are made on their own page."""

    model = AppPassword
    fields = readonly_fields = ("label", "created", "last_used")
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A secret must be shown once, which a table cannot."""
        return False


@admin.register(User)
class UserAdmin(SuperuserAdmin, DjangoUserAdmin):  # type: ignore[type-arg]
    """Everybody who signs in."""

    add_form = UserAddForm
    add_form_template = "admin/change_form.html"
    add_fieldsets = ((None, {"fields": ("address", "name", "new_password", "may_use_account_password")}),)
    fieldsets = (
        (None, {"fields": ("address", "password", "name", "tenant", "domain")}),
        (
            "Signing in",
            {"fields": ("is_active", "is_suspended", "may_use_account_password", "has_second_factor")},
        ),
        ("Administration", {"fields": ("is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "created")}),
    )
    readonly_fields = ("address", "tenant", "domain", "has_second_factor", "last_login", "created")
    list_display = ("address", "name", "tenant", "status")
    list_select_related = ("tenant",)
    list_filter = ("is_active", "is_suspended", "is_staff")
    search_fields = ("address__startswith", "name__istartswith")
    ordering = ("address",)
    inlines = (AppPasswordInline,)

    @admin.display(ordering="is_suspended")
    def status(self, user: User) -> str:
        """In a word, which leaves the table room on a small screen."""
        if not user.is_active:
            return "inactive"
        return "suspended" if user.is_suspended else "active"

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """The address, and with it tenant and domain, is chosen once."""
        return self.readonly_fields if obj else ()

    def get_inlines(self, request: HttpRequest, obj: User | None) -> tuple[type[AppPasswordInline], ...]:
        """A new user has no app passwords yet."""
        return self.inlines if obj else ()

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm[User], change: bool) -> None:
        """Create through provisioning; change as it is."""
        if change:
            obj.save()
            return
        created = provisioning.create_user(
            obj.address,
            name=obj.name,
            password=form.cleaned_data["new_password"] or None,
            may_use_account_password=obj.may_use_account_password,
        )
        adopt(obj, created)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """Delete with the account and its mail."""
        provisioning.delete_user(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Delete with the accounts and their mail."""
        for user in queryset:
            provisioning.delete_user(user)
