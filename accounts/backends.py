"""Signing in to pages (admin, portal, OAuth consent) with address and password."""

from __future__ import annotations

from django.contrib.auth.backends import ModelBackend


class AddressBackend(ModelBackend):
    """Django's own backend."""
