"""OAuth clients and tokens in the administration site: the toolkit's pages, searched by index."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from oauth2_provider import admin as toolkit

from accounts.admin.site import SuperuserAdmin
from accounts.models import AccessToken, Application, AuthorizationGrant, IDToken, RefreshToken

# Importing the toolkit's module registered its own pages for our models.
admin.site.unregister([Application, AccessToken, RefreshToken, AuthorizationGrant, IDToken])


@admin.register(Application)
class ApplicationAdmin(SuperuserAdmin, toolkit.ApplicationAdmin):  # type: ignore[misc]
    """Registered OAuth clients."""

    list_display = ("name", "client_id", "tenant", "client_type", "authorization_grant_type", "created")
    list_select_related = ("tenant",)
    list_filter = ("client_type", "registration_source")
    search_fields = ("client_id__startswith",)
    raw_id_fields = ()
    autocomplete_fields = ("user", "tenant")
    ordering = ("-id",)


class IssuedAdmin(SuperuserAdmin):
    """Something that OAuth issued to a user: to be seen here and revoked, never made or changed."""

    list_select_related = ("user", "application")
    list_filter = ()
    search_fields = ("user__address__startswith",)
    raw_id_fields = ()
    ordering = ("-id",)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """The flows of OAuth, and `manage.py create_access_token`, issue tokens."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """What was issued is what its holder was told."""
        return False


@admin.register(AccessToken)
class AccessTokenAdmin(IssuedAdmin, toolkit.AccessTokenAdmin):  # type: ignore[misc]
    """Access tokens; the action revokes them with what hangs on them."""

    list_display = ("id", "user", "application", "scope", "expires", "created")


@admin.register(RefreshToken)
class RefreshTokenAdmin(IssuedAdmin, toolkit.RefreshTokenAdmin):  # type: ignore[misc]
    """Refresh tokens."""

    list_display = ("id", "user", "application", "created", "revoked")


@admin.register(AuthorizationGrant)
class AuthorizationGrantAdmin(IssuedAdmin, toolkit.GrantAdmin):  # type: ignore[misc]
    """Authorization codes that wait to be exchanged."""

    list_display = ("id", "user", "application", "expires")


@admin.register(IDToken)
class IDTokenAdmin(IssuedAdmin, toolkit.IDTokenAdmin):  # type: ignore[misc]
    """OpenID Connect ID tokens."""

    list_display = ("jti", "user", "application", "expires")
