"""Tenants, domains, accounts, aliases and grants in the administration site, written through provisioning."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from accounts import provisioning
from accounts.admin.site import SuperuserAdmin, adopt
from accounts.models import Account, Alias, AliasTarget, Domain, Grant, Tenant
from accounts.provisioning import ProvisioningError


def _free_domain(given: str) -> str:
    """The normal spelling of a domain that can be added; `ValidationError` for others."""
    try:
        return provisioning.free_domain(given)
    except ProvisioningError as error:
        raise ValidationError(str(error)) from error


class TenantForm(forms.ModelForm):  # type: ignore[type-arg]
    """A tenant; a new one with its first domain."""

    domain = forms.CharField(required=False, help_text="The first domain, for example example.org.")

    class Meta:
        model = Tenant
        fields = ("name", "is_suspended", "allow_account_password")

    def clean_domain(self) -> str:
        """The domain as it will be stored, free to take."""
        given = self.cleaned_data["domain"]
        return _free_domain(given) if given else ""


@admin.register(Tenant)
class TenantAdmin(SuperuserAdmin):
    """Customers of the provider."""

    form = TenantForm
    list_display = ("name", "is_suspended", "allow_account_password", "is_demo", "created")
    list_filter = ("is_suspended",)
    search_fields = ("name__istartswith",)
    ordering = ("name",)

    def get_fields(self, request: HttpRequest, obj: Tenant | None = None) -> tuple[str, ...]:
        """The domain is asked for with a new tenant alone; more are added on the page of domains."""
        flags = ("is_suspended", "allow_account_password")
        return ("name", *flags) if obj else ("name", "domain", *flags)

    def save_model(self, request: HttpRequest, obj: Tenant, form: ModelForm[Tenant], change: bool) -> None:
        """Create through provisioning; flags are written as they are."""
        if not change:
            flags = {name: getattr(obj, name) for name in ("is_suspended", "allow_account_password")}
            adopt(obj, provisioning.create_tenant(obj.name, domain=form.cleaned_data["domain"] or None))
            for name, value in flags.items():
                setattr(obj, name, value)
        obj.save()

    def delete_model(self, request: HttpRequest, obj: Tenant) -> None:
        """Delete with users, accounts and mail."""
        provisioning.delete_tenant(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Tenant]) -> None:
        """Delete with users, accounts and mail."""
        for tenant in queryset:
            provisioning.delete_tenant(tenant)


class DomainForm(forms.ModelForm):  # type: ignore[type-arg]
    """A domain; its name is normalised before anything else looks at it."""

    class Meta:
        model = Domain
        fields = ("name", "tenant", "catch_all")

    def clean_name(self) -> str:
        """The name as it will be stored, free to take."""
        return _free_domain(self.cleaned_data["name"])


@admin.register(Domain)
class DomainAdmin(SuperuserAdmin):
    """Mail domains."""

    form = DomainForm
    list_display = ("name", "tenant", "catch_all", "created")
    list_select_related = ("tenant", "catch_all")
    search_fields = ("name__startswith",)
    autocomplete_fields = ("tenant", "catch_all")
    ordering = ("name",)

    def get_fields(self, request: HttpRequest, obj: Domain | None = None) -> tuple[str, ...]:
        """A catch-all can be chosen once the domain has accounts."""
        return ("name", "tenant", "catch_all") if obj else ("name", "tenant")

    def get_readonly_fields(self, request: HttpRequest, obj: Domain | None = None) -> list[str]:
        """A domain keeps its name and its tenant."""
        return ["name", "tenant"] if obj else []

    def save_model(self, request: HttpRequest, obj: Domain, form: ModelForm[Domain], change: bool) -> None:
        """Create and change through provisioning."""
        if change:
            provisioning.set_catch_all(obj, obj.catch_all)
        else:
            adopt(obj, provisioning.add_domain(obj.tenant, obj.name))


class GrantInline(admin.TabularInline):  # type: ignore[type-arg]
    """To whom an account is open; changed on the page of grants."""

    model = Grant
    fields = readonly_fields = ("user", "is_read_only", "may_send_as", "created")
    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Account | None = None) -> bool:
        """Grants are made on their own page."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Grant]:
        """With the users they are for, in one query."""
        return super().get_queryset(request).select_related("user", "account")


@admin.register(Account)
class AccountAdmin(SuperuserAdmin):
    """Personal accounts: born and deleted with their owners, so that nothing is to be changed here."""

    list_display = ("name", "id", "tenant", "created")
    list_select_related = ("tenant",)
    search_fields = ("name__startswith",)
    fields = readonly_fields = ("id", "name", "owner", "tenant", "created")
    inlines = (GrantInline,)
    ordering = ("name",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """An account comes with its user."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """An account goes with its user."""
        return False


@admin.register(Grant)
class GrantAdmin(SuperuserAdmin):
    """Accounts opened to others of the same tenant."""

    list_display = ("account", "user", "is_read_only", "may_send_as", "created")
    list_select_related = ("account", "user")
    list_filter = ("is_read_only", "may_send_as")
    search_fields = ("account__name__startswith", "user__address__startswith")
    fields = ("account", "user", "is_read_only", "may_send_as")
    autocomplete_fields = ("account", "user")
    ordering = ("id",)

    def get_readonly_fields(self, request: HttpRequest, obj: Grant | None = None) -> list[str]:
        """Only what it allows may change."""
        return ["account", "user"] if obj else []

    def save_model(self, request: HttpRequest, obj: Grant, form: ModelForm[Grant], change: bool) -> None:
        """Grant, or change what is granted."""
        granted = provisioning.grant_access(
            obj.account, obj.user, is_read_only=obj.is_read_only, may_send_as=obj.may_send_as
        )
        adopt(obj, granted)


class AliasForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new alias and the account that takes its mail."""

    account = forms.ModelChoiceField(
        Account.objects.all(),
        widget=AutocompleteSelect(AliasTarget._meta.get_field("account"), admin.site),
    )

    class Meta:
        model = Alias
        fields = ("address",)

    def clean_address(self) -> str:
        """The address as it will be stored, free to take."""
        try:
            return provisioning.free_address(self.cleaned_data["address"])
        except ProvisioningError as error:
            raise ValidationError(str(error)) from error


@admin.register(Alias)
class AliasAdmin(SuperuserAdmin):
    """Further addresses of accounts."""

    list_display = ("address", "targets_shown", "created")
    search_fields = ("address__startswith",)
    ordering = ("address",)
    made = ("address", "targets_shown", "domain", "created")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Alias]:
        """With the accounts they lead to, in one query more."""
        return super().get_queryset(request).prefetch_related("targets__account")

    @admin.display(description="delivers to")
    def targets_shown(self, alias: Alias) -> str:
        """The accounts that take the mail."""
        return ", ".join(target.account.name for target in alias.targets.all())

    def get_form(
        self, request: HttpRequest, obj: Alias | None = None, change: bool = False, **kwargs: Any
    ) -> type[ModelForm[Alias]]:
        """The form with the account, for a new alias; one that exists is never changed, only deleted."""
        if obj is None:
            kwargs["form"] = AliasForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Alias | None = None) -> tuple[str, ...]:
        """What to ask for, or to show."""
        return self.made if obj else ("address", "account")

    def get_readonly_fields(self, request: HttpRequest, obj: Alias | None = None) -> tuple[str, ...]:
        """Everything, once it exists."""
        return self.made if obj else ()

    def save_model(self, request: HttpRequest, obj: Alias, form: ModelForm[Alias], change: bool) -> None:
        """Create through provisioning."""
        if not change:
            adopt(obj, provisioning.add_alias(obj.address, form.cleaned_data["account"]))

    def delete_model(self, request: HttpRequest, obj: Alias) -> None:
        """Let it deliver no more."""
        provisioning.remove_alias(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Alias]) -> None:
        """Let them deliver no more."""
        for alias in queryset:
            provisioning.remove_alias(alias)
