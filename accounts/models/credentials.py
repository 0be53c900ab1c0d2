"""Credentials of our own making: app passwords. OAuth's are in `accounts.models.oauth`."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class AppPassword(models.Model):
    """A long random password for one program. Only the sha256 (hex) of the secret is kept.

    The secret is random and long, so that no slow hash is needed and a request costs one index look-up.
    `last_used` is kept to the day.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="app_passwords")
    label = models.CharField(max_length=200)
    secret_checksum = models.CharField(max_length=64, unique=True, editable=False)
    created = models.DateTimeField(auto_now_add=True)
    last_used = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.label} (app password {self.pk})"
