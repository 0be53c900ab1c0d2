"""Every URL of the process `web`."""

from importlib.util import find_spec

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
]
if find_spec("jmapcore.urls"):
    urlpatterns.append(path("", include("jmapcore.urls")))
