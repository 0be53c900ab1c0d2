"""Quotas in the administration site: limits as tables on the pages of whom they limit, usage beside them."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import transaction
from django.forms import ModelForm
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest

from accounts.models import Account, Domain, QuotaLimit, Tenant
from accounts.provisioning import ProvisioningError
from accounts.quota_sizes import format_octets, parse_octets
from accounts.quotas import (
    MESSAGES,
    OCTETS,
    Limits,
    account_sentences,
    default_limits,
    set_limits,
    shown_usage,
    unset_limits,
    usage_of,
)


class LimitField(forms.CharField):
    """A number, or a size such as `5 GB`; empty: none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, widget=forms.TextInput(attrs={"size": 14}), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """As it was given: a number of octets is shown as one, since a size would round it."""
        return value

    def clean(self, value: Any) -> int | None:
        """The number. Raises `ValidationError`."""
        text = str(value or "").strip()
        if not text:
            return None
        number = parse_octets(text)
        if number is None:
            raise ValidationError("A whole number, or a size such as 5 GB.")
        return number


class QuotaLimitForm(forms.ModelForm):  # type: ignore[type-arg]
    """One row of limits."""

    hard, soft, warn = LimitField(), LimitField(), LimitField()

    class Meta:
        model = QuotaLimit
        fields = ("resource", "each_account", "hard", "soft", "warn")

    def clean(self) -> dict[str, Any]:
        """What can be as a whole. Raises `ValidationError`."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        try:
            Limits(cleaned.get("hard"), cleaned.get("soft"), cleaned.get("warn")).check()
        except ProvisioningError as error:
            raise ValidationError(str(error)) from error
        return cleaned


class QuotaLimitFormSet(BaseInlineFormSet):  # type: ignore[type-arg]
    """Rows that are written through `accounts.quotas`, so that accounts learn of them."""

    def save(self, commit: bool = True) -> list[QuotaLimit]:
        """Write what changed."""
        self.new_objects: list[QuotaLimit] = []
        self.changed_objects: list[tuple[QuotaLimit, list[str]]] = []
        self.deleted_objects: list[QuotaLimit] = []
        with transaction.atomic():
            for form in self.forms:
                self._save_form(form)
        return [*self.new_objects, *(row for row, _ in self.changed_objects)]

    def _save_form(self, form: ModelForm[QuotaLimit]) -> None:
        row, was = form.instance, form.initial
        if not form.has_changed():
            return
        if form.instance.pk is not None:
            unset_limits(self.instance, was["resource"], each_account=was.get("each_account", False))
        if form.cleaned_data.get("DELETE"):
            self.deleted_objects.append(row)
            return
        given = form.cleaned_data
        saved = set_limits(
            self.instance,
            given["resource"],
            Limits(given["hard"], given["soft"], given["warn"]),
            each_account=given.get("each_account", False),
        )
        if form.instance.pk is None:
            self.new_objects.append(saved)
        else:
            self.changed_objects.append((saved, form.changed_data))


class QuotaLimitInline(admin.TabularInline):  # type: ignore[type-arg]
    """The limits of a tenant or a domain: of all accounts together, and of each."""

    model = QuotaLimit
    form = QuotaLimitForm
    formset = QuotaLimitFormSet
    fields: ClassVar[tuple[str, ...]] = ("resource", "each_account", "hard", "soft", "warn")
    extra = 0
    max_num = 4
    verbose_name = "limit"
    verbose_name_plural = "limits"


class AccountLimitInline(QuotaLimitInline):
    """The limits of an account."""

    fields = ("resource", "hard", "soft", "warn")
    max_num = 2


class Holding:
    """What a page of tenants or domains says of what they hold, a minute ago at most."""

    @admin.display(description="holds")
    def holds(self, holder: Tenant | Domain) -> str:
        """Every resource, with its limit."""
        used = getattr(holder, "usage", None)
        numbers = {OCTETS: used.octets, MESSAGES: used.objects_held} if used else {OCTETS: 0, MESSAGES: 0}
        rows = {row.resource: row.hard for row in holder.quota_limits.filter(each_account=False)}
        limits = {
            resource: Limits(rows[resource] if resource in rows else default_limits(holder, resource))
            for resource in numbers
        }
        return " · ".join(shown_usage(resource, numbers[resource], limits[resource]) for resource in numbers)

    @admin.display(description="size", ordering="usage__octets")
    def size(self, holder: Tenant | Domain) -> str:
        """The octets alone, for a list."""
        used = getattr(holder, "usage", None)
        return format_octets(used.octets) if used else ""


class AccountHolding:
    """What a page of accounts says of what they hold: now, and for a whole list in one query."""

    @admin.display(description="holds")
    def holds(self, account: Account) -> str:
        """Every resource, with its limit."""
        return " · ".join(account_sentences(account.pk))

    @admin.display(description="size")
    def size(self, account: Account) -> str:
        """The octets alone, for a list, of what `get_changelist_instance` read."""
        usage = getattr(account, "usage_read", None)
        return format_octets(usage.octets) if usage else ""

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list, with what the accounts on this page of it hold."""
        changelist = super().get_changelist_instance(request)  # type: ignore[misc]  # of ModelAdmin
        accounts = list(changelist.result_list)
        usages = usage_of([account.pk for account in accounts])
        for account in accounts:
            account.usage_read = usages.get(account.pk)
        changelist.result_list = accounts
        return changelist
