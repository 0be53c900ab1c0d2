"""The Django application accounts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Configuration of the application accounts."""

    name = "accounts"
