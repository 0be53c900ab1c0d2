"""Settings: the only module that reads the environment."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from accounts.access import MAIL_SCOPE, SCOPES

BASE_DIR = Path(__file__).resolve().parent.parent


def _number(name: str, default: int) -> int:
    value = os.environ.get(name, "")
    if not value:
        return default
    if not value.isdigit():
        raise SystemExit(f"{name} must be a whole number, not {value!r}.")
    return int(value)


def _database(url: str) -> dict[str, object]:
    """A DATABASES entry from a `postgresql://user:password@host:port/name?option=…` URL."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise SystemExit("DATABASE_URL must begin with postgresql://")
    query = dict(parse_qsl(parts.query))
    host = query.pop("host", parts.hostname or "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(host),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 0,
        "OPTIONS": {
            **query,
            "options": f"-c lock_timeout={LOCK_TIMEOUT_MILLISECONDS}"
            f" -c statement_timeout={STATEMENT_TIMEOUT_MILLISECONDS} -c timezone=UTC",
        },
    }


LOCK_TIMEOUT_MILLISECONDS = 5_000
STATEMENT_TIMEOUT_MILLISECONDS = 15_000

VAR_DIR = Path(os.environ.get("VAR_DIR") or BASE_DIR / "var").resolve()
HOST = os.environ.get("HOST") or "127.0.0.1"
PORT = _number("PORT", 8000)
PUSH_PORT = _number("PUSH_PORT", 8001)
LMTP_PORT = _number("LMTP_PORT", 8024)
HTTPS = os.environ.get("HTTPS", "") not in {"", "0"}
_SCHEME = "https" if HTTPS else "http"
PUBLIC_URL = (os.environ.get("PUBLIC_URL") or f"{_SCHEME}://{HOST}:{PORT}").rstrip("/")
PUSH_PUBLIC_URL = (
    os.environ.get("PUSH_PUBLIC_URL") or f"{_SCHEME}://{HOST}:{PUSH_PORT}"
).rstrip("/")

DATABASE_URL = os.environ.get("DATABASE_URL") or f"postgresql://jmap_web@/jmapsite?host={VAR_DIR}/run"
MIGRATE_DATABASE_URL = (
    os.environ.get("MIGRATE_DATABASE_URL") or f"postgresql://jmap_owner@/jmapsite?host={VAR_DIR}/run"
)
REDIS_URL = os.environ.get("REDIS_URL") or f"unix://{VAR_DIR}/run/redis.sock"

# "default" is the restricted role of every process; "owner" runs the migrations alone.
DATABASES = {"default": _database(DATABASE_URL), "owner": _database(MIGRATE_DATABASE_URL)}
DATABASES["owner"]["OPTIONS"] = {}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "accounts",
    "jmapcore",
    "mail",
    "push",
    "oauth2_provider",
    "rest_framework",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
AUTH_USER_MODEL = "accounts.User"
SECRET_KEY = "set-below"
ROOT_URLCONF = "jmapsite.urls"
USE_TZ = True
TIME_ZONE = "UTC"

# OAuth
OAUTH2_PROVIDER_APPLICATION_MODEL = "accounts.Application"
OAUTH2_PROVIDER_GRANT_MODEL = "accounts.AuthorizationGrant"
OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL = "accounts.AccessToken"
OAUTH2_PROVIDER_REFRESH_TOKEN_MODEL = "accounts.RefreshToken"
OAUTH2_PROVIDER_ID_TOKEN_MODEL = "accounts.IDToken"
OAUTH2_PROVIDER_DEVICE_GRANT_MODEL = "accounts.DeviceGrant"
OAUTH2_PROVIDER = {
    "SCOPES": SCOPES,
    "DEFAULT_SCOPES": [MAIL_SCOPE],
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3_600,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "PKCE_REQUIRED": True,
    "ALLOW_LOCALHOST_LOOPBACK": True,
    # The recommendations of RFC 9700, tokens stored as their sha256 alone among them.
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_REFRESH_TOKEN": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_MATCHING": True,
    "COMPLIANT_BCP_RFC9700_PKCE_REQUIRED": True,
}

# Passwords
PASSWORD_HASHERS = ["accounts.passwords.Argon2id"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# Accounts
AUTHENTICATION_BACKENDS = ["accounts.backends.AddressBackend"]
