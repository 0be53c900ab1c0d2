"""Tenants, domains, accounts, aliases and grants in the administration site, written through provisioning."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join

from accounts import provisioning
from accounts.admin.quotas import AccountHolding, AccountLimitInline, Holding, QuotaLimitInline
from accounts.admin.site import SuperuserAdmin, TenantFilter, adopt
from accounts.models import Account, Alias, AliasTarget, Domain, Grant, Tenant, User
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


class TenantStatusFilter(admin.SimpleListFilter):
    """By the word that the list shows."""

    title = parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        """Every status."""
        return [("active", "active"), ("suspended", "suspended")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Tenant]) -> QuerySet[Tenant]:
        """Tenants of one status."""
        if self.value() is None:
            return queryset
        return queryset.filter(is_suspended=self.value() == "suspended")


@admin.register(Tenant)
class TenantAdmin(Holding, SuperuserAdmin):
    """Customers of the provider."""

    form = TenantForm
    list_display = ("name", "status", "account_password", "size", "created_on")
    list_select_related = ("usage",)
    list_filter = (TenantStatusFilter,)
    search_fields = ("name__istartswith",)
    readonly_fields = ("holds", "belongings", "created")
    inlines = (QuotaLimitInline,)
    ordering = ("name",)

    @admin.display(ordering="is_suspended")
    def status(self, tenant: Tenant) -> str:
        """In words, where a column of crosses would look like faults."""
        word = "suspended" if tenant.is_suspended else "active"
        return f"{word}, demo" if tenant.is_demo else word

    @admin.display(description="account password", ordering="allow_account_password")
    def account_password(self, tenant: Tenant) -> str:
        """Whether mail programs may sign in with it."""
        return "allowed" if tenant.allow_account_password else "refused"

    @admin.display(description="see also")
    def belongings(self, tenant: Tenant) -> str:
        """Links to the lists of what the tenant has."""
        links = (
            (reverse(f"admin:accounts_{model._meta.model_name}_changelist"), tenant.pk, model)
            for model in (User, Domain, Account)
        )
        shown = ((url, number, model._meta.verbose_name_plural) for url, number, model in links)
        return format_html_join(" · ", '<a href="{}?tenant={}">{}</a>', shown)

    def get_fields(self, request: HttpRequest, obj: Tenant | None = None) -> tuple[str, ...]:
        """The domain is asked for with a new tenant alone; more are added on the page of domains."""
        flags = ("is_suspended", "allow_account_password")
        return ("name", *flags, *self.readonly_fields) if obj else ("name", "domain", *flags)

    def get_inlines(self, request: HttpRequest, obj: Tenant | None) -> tuple[type[QuotaLimitInline], ...]:
        """A new tenant has no limits yet."""
        return self.inlines if obj else ()

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
class DomainAdmin(Holding, SuperuserAdmin):
    """Mail domains."""

    form = DomainForm
    list_display = ("name", "tenant", "catch_all", "size", "created_on")
    list_select_related = ("tenant", "catch_all", "usage")
    list_filter = (TenantFilter,)
    search_fields = ("name__startswith",)
    autocomplete_fields = ("tenant", "catch_all")
    inlines = (QuotaLimitInline,)
    ordering = ("name",)

    def get_fields(self, request: HttpRequest, obj: Domain | None = None) -> tuple[str, ...]:
        """A catch-all can be chosen once the domain has accounts."""
        return ("name", "tenant", "catch_all", "holds") if obj else ("name", "tenant")

    def get_readonly_fields(self, request: HttpRequest, obj: Domain | None = None) -> list[str]:
        """A domain keeps its name and its tenant."""
        return ["name", "tenant", "holds"] if obj else []

    def get_inlines(self, request: HttpRequest, obj: Domain | None) -> tuple[type[QuotaLimitInline], ...]:
        """A new domain has no limits yet."""
        return self.inlines if obj else ()

    def save_model(self, request: HttpRequest, obj: Domain, form: ModelForm[Domain], change: bool) -> None:
        """Create and change through provisioning."""
        if change:
            provisioning.set_catch_all(obj, obj.catch_all)
        else:
            adopt(obj, provisioning.add_domain(obj.tenant, obj.name))

    def delete_model(self, request: HttpRequest, obj: Domain) -> None:
        """Delete what nobody has an address in."""
        provisioning.delete_domain(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Domain]) -> None:
        """Delete those that nobody has an address in."""
        for domain in queryset:
            provisioning.delete_domain(domain)


class GrantInline(admin.TabularInline):  # type: ignore[type-arg]
    """To whom an account is open; changed on the page of grants."""

    model = Grant
    fields = readonly_fields = ("user", "access", "created")
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
class AccountAdmin(AccountHolding, SuperuserAdmin):
    """Personal accounts: born and deleted with their owners. What can be changed are the languages of their searches."""

    list_display = ("name", "id", "tenant", "size", "created_on")
    list_select_related = ("tenant",)
    list_filter = (TenantFilter,)
    search_fields = ("name__startswith",)
    readonly_fields = ("id", "name", "owner", "tenant", "holds", "created")
    fields = (*readonly_fields, "search_languages")
    inlines = (GrantInline, AccountLimitInline)
    ordering = ("name",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """An account comes with its user."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """An account goes with its user."""
        return False

    def save_model(self, request: HttpRequest, obj: Account, form: ModelForm[Account], change: bool) -> None:
        """Set the languages; the index of words follows them by itself."""
        provisioning.set_search_languages(obj, form.cleaned_data["search_languages"].split())


class AccessFilter(admin.SimpleListFilter):
    """By what a grant allows."""

    title = parameter_name = "access"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        """Every kind."""
        return [("read", "read only"), ("write", "read and write"), ("send", "read, write and send")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Grant]) -> QuerySet[Grant]:
        """Grants of one kind."""
        if self.value() is None:
            return queryset
        return queryset.filter(is_read_only=self.value() == "read", may_send_as=self.value() == "send")


@admin.register(Grant)
class GrantAdmin(SuperuserAdmin):
    """Accounts opened to others of the same tenant."""

    list_display = ("account", "user", "access")
    list_select_related = ("account", "user")
    list_filter = (AccessFilter,)
    search_fields = ("account__name__startswith", "user__address__startswith")
    autocomplete_fields = ("account", "user")
    ordering = ("id",)

    def get_readonly_fields(self, request: HttpRequest, obj: Grant | None = None) -> list[str]:
        """Only what it allows may change."""
        return ["account", "user", "created"] if obj else []

    def get_fields(self, request: HttpRequest, obj: Grant | None = None) -> tuple[str, ...]:
        """What to ask for, or to show."""
        asked = ("account", "user", "is_read_only", "may_send_as")
        return (*asked, "created") if obj else asked

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

    list_display = ("address", "targets_shown", "created_on")
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
