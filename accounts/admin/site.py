"""What every page of ours in the administration site shares: superusers alone, and speed at any size."""

from __future__ import annotations

from datetime import date, datetime
from functools import cached_property
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import ModelAdmin
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from accounts.models import Tenant
from accounts.provisioning import ProvisioningError

MAXIMUM_COUNT = 10_000

admin.site.site_header = admin.site.site_title = "jmapsite"
admin.site.site_url = None  # there is no page at / that a link could lead to


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Pages of a list that is never counted to its end: 10,000 rows, and the search for the rest."""

    @cached_property
    def count(self) -> int:
        """The number of rows, 10,000 at most."""
        rows = self.object_list
        return rows.order_by()[:MAXIMUM_COUNT].count() if isinstance(rows, QuerySet) else len(rows)


class TenantFilter(admin.SimpleListFilter):
    """`?tenant=1`, to which the page of a tenant leads: shown where it is used, for tenants are too many to list."""

    title = "tenant"
    parameter_name = "tenant"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        """The tenant that the URL names, if any."""
        number = request.GET.get(self.parameter_name, "")
        found = Tenant.objects.filter(pk=number).first() if number.isdecimal() else None
        return [(number, found.name)] if found else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """What belongs to the tenant."""
        number = self.value()
        return queryset.filter(tenant=number) if number else queryset


class SuperuserAdmin(ModelAdmin):  # type: ignore[type-arg]
    """A page for superusers. Searches are for how a stored lower-case text begins: an index answers."""

    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = BoundedPaginator
    list_per_page = 50
    list_max_show_all = 500

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Superusers alone: a tenant's own staff would see every tenant."""
        return request.user.is_active and request.user.is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Superusers alone."""
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Superusers alone."""
        return self.has_module_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Superusers alone."""
        return self.has_module_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Superusers alone."""
        return self.has_module_permission(request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Model], search_term: str
    ) -> tuple[QuerySet[Model], bool]:
        """Rows whose searched text begins with each word; addresses and domains are stored in lower case."""
        return super().get_search_results(request, queryset, search_term.lower())

    @admin.display(description="created", ordering="created")
    def created_on(self, instance: Any) -> date:
        """The day, which is enough for a list; the time is on the page."""
        created: datetime = instance.created
        return created.date()

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page to add or change; what provisioning refuses becomes a message on the same page."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except ProvisioningError as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(request.get_full_path())

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """What goes with a deletion. Tokens cannot be deleted one by one, yet go with their user."""
        deleted, counts, _, protected = super().get_deleted_objects(objs, request)
        return deleted, counts, set(), protected


def adopt(instance: Model, created: Model) -> None:
    """Make the unsaved instance of a form the row that provisioning created."""
    instance.pk = created.pk
    instance._state.adding = False
    instance.refresh_from_db()
