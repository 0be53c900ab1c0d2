"""Users in the administration site, made through provisioning like everywhere else."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from accounts import provisioning, quotas
from accounts.admin.site import SuperuserAdmin, TenantFilter, adopt
from accounts.models import AppPassword, User
from accounts.provisioning import ProvisioningError

# Importing Django's pages registered that of groups: superusers alone come here, and no group makes one.
admin.site.unregister(Group)


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


class StatusFilter(admin.SimpleListFilter):
    """By the word that the list shows."""

    title = parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        """Every status."""
        return [("active", "active"), ("suspended", "suspended"), ("inactive", "inactive")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        """Users of one status."""
        match self.value():
            case "active":
                return queryset.filter(is_active=True, is_suspended=False)
            case "suspended":
                return queryset.filter(is_active=True, is_suspended=True)
            case "inactive":
                return queryset.filter(is_active=False)
        return queryset


class OperatorFilter(admin.SimpleListFilter):
    """Those who may come here, and the others."""

    title = "administration"
    parameter_name = "operator"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        """Yes or no, in words."""
        return [("yes", "operators"), ("no", "everybody else")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        """Operators, or everybody else."""
        if self.value() is None:
            return queryset
        return queryset.filter(is_staff=self.value() == "yes")


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
            {"fields": ("is_active", "is_suspended", "may_use_account_password", "second_factor")},
        ),
        ("Administration", {"fields": ("is_staff", "is_superuser", "administers")}),
        ("Dates", {"fields": ("last_login", "created")}),
    )
    readonly_fields = ("address", "tenant", "domain", "second_factor", "last_login", "created")
    list_display = ("address", "name", "tenant", "status")
    list_select_related = ("tenant",)
    list_filter = (TenantFilter, StatusFilter, OperatorFilter)
    search_fields = ("address__startswith", "name__istartswith")
    ordering = ("address",)
    inlines = (AppPasswordInline,)

    @admin.display(ordering="is_suspended")
    def status(self, user: User) -> str:
        """In a word, which leaves the table room on a small screen."""
        if not user.is_active:
            return "inactive"
        return "suspended" if user.is_suspended else "active"

    @admin.display(description="second factor")
    def second_factor(self, user: User) -> str:
        """Whether it is on, in a word: to be without one is nothing to be alarmed at."""
        return "on: mail programs need an app password or OAuth" if user.has_second_factor else "off"

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """The address, and with it tenant and domain, is chosen once."""
        return self.readonly_fields if obj else ()

    def get_inlines(self, request: HttpRequest, obj: User | None) -> tuple[type[AppPasswordInline], ...]:
        """A new user has no app passwords yet."""
        return self.inlines if obj else ()

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm[User], change: bool) -> None:
        """Create and rename through provisioning; change the rest as it is."""
        if change:
            if "name" in form.changed_data:
                provisioning.rename_user(obj, obj.name)
            if "administers" in form.changed_data:
                quotas.set_administers(obj, obj.administers)
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
