"""Settings: the only module that reads the environment."""

from __future__ import annotations

import logging
import os
import platform
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from accounts.access import MAIL_SCOPE, SCOPES
from accounts.addresses import normalise_domain
from accounts.client import Network, trusted_networks
from accounts.quota_sizes import parse_octets
from jmapcore.public_addresses import networks
from jmapsite.embedded.errors import EmbeddedServerError
from jmapsite.embedded.layout import LONGEST_SOCKET_PATH, POSTGRESQL, REDIS, Layout
from jmapsite.embedded.postgresql import DATABASE, OWNER, WEB
from jmapsite.secret_key import kept_secret_key
from mail.delivery.junk import JunkRule, junk_rules
from mail.outbound.relay_address import Relay, parse_relay
from mail.search.stems import UnknownLanguageError, check_languages

BASE_DIR = Path(__file__).resolve().parent.parent


def _number(name: str, default: int) -> int:
    value = os.environ.get(name, "")
    if not value:
        return default
    if not value.isdigit():
        raise SystemExit(f"{name} must be a whole number, not {value!r}.")
    return int(value)


def _limit(name: str, default: int | None, *, octets: bool) -> int | None:
    """A hard limit; 0 for none."""
    value = os.environ.get(name, "")
    if not value:
        return default
    limit = parse_octets(value) if octets or value.isdigit() else None
    if limit is None:
        example = "a size such as 10GB" if octets else "a whole number"
        raise SystemExit(f"{name} must be {example}, or 0 for no limit, not {value!r}.")
    return limit or None


def _choice(name: str, *, default: bool) -> bool:
    value = os.environ.get(name, "")
    if value not in {"", "0", "1"}:
        raise SystemExit(f"{name} must be 0 or 1, not {value!r}.")
    return value == "1" if value else default


def _languages(name: str, default: str) -> tuple[str, ...]:
    languages = tuple((os.environ.get(name) or default).replace(",", " ").lower().split())
    try:
        check_languages(languages)
    except UnknownLanguageError as error:
        raise SystemExit(f"{name}: {error}.") from None
    return languages


def _database(url: str) -> dict[str, Any]:
    """A DATABASES entry from a `postgresql://user:password@host:port/name?option=…` URL."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise SystemExit("DATABASE_URL must begin with postgresql://")
    query = dict(parse_qsl(parts.query))
    host = query.pop("host", None) or unquote(parts.hostname or "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
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
LOOKUP_PORT = _number("LOOKUP_PORT", LMTP_PORT + 1)
HTTPS = os.environ.get("HTTPS", "") not in {"", "0"}
_SCHEME = "https" if HTTPS else "http"
PUBLIC_URL = (os.environ.get("PUBLIC_URL") or f"{_SCHEME}://{HOST}:{PORT}").rstrip("/")
PUSH_PUBLIC_URL = (os.environ.get("PUSH_PUBLIC_URL") or f"{_SCHEME}://{HOST}:{PUSH_PORT}").rstrip("/")

# Without these the embedded servers of `jmapsite.embedded` are started, below VAR_DIR.
_sockets = Layout(VAR_DIR).sockets
_database_url = os.environ.get("DATABASE_URL")
_redis_url = os.environ.get("REDIS_URL")
DATABASE_URL = _database_url or f"postgresql://{WEB}@/{DATABASE}?host={quote(str(_sockets))}"
MIGRATE_DATABASE_URL = (
    os.environ.get("MIGRATE_DATABASE_URL")
    or _database_url
    or f"postgresql://{OWNER}@/{DATABASE}?host={quote(str(_sockets))}"
)
REDIS_URL = _redis_url or f"unix://{quote(str(Layout(VAR_DIR).redis_socket))}"
EMBEDDED_SERVERS = tuple(
    server for server, url in ((POSTGRESQL, _database_url), (REDIS, _redis_url)) if not url
)

# "default" is the restricted role of every process; "owner" runs the migrations alone.
DATABASES = {"default": _database(DATABASE_URL), "owner": _database(MIGRATE_DATABASE_URL)}
DATABASES["owner"]["OPTIONS"] = {}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "jmapsite",
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
USE_TZ = True
TIME_ZONE = "UTC"


def _secret_key() -> str:
    given = os.environ.get("SECRET_KEY")
    if given:
        return given
    try:
        return kept_secret_key(VAR_DIR)
    except EmbeddedServerError as error:
        raise SystemExit(str(error)) from error
    except PermissionError as error:
        raise SystemExit(
            f"{error.filename} belongs to another user. Run this as its owner, or name another directory "
            "with VAR_DIR=…"
        ) from error


SECRET_KEY = _secret_key()
# Older ones: what they signed and sealed is still good.
SECRET_KEY_FALLBACKS = os.environ.get("SECRET_KEY_FALLBACKS", "").split()
DEBUG = False

# HTTP
ROOT_URLCONF = "jmapsite.urls"
WSGI_APPLICATION = "jmapsite.wsgi.application"
_public_host = urlsplit(PUBLIC_URL).hostname or HOST
ALLOWED_HOSTS = [
    *{_public_host, HOST, "127.0.0.1", "localhost", "[::1]"},
    *filter(None, os.environ.get("ALLOWED_HOSTS", "").split(",")),
]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
X_FRAME_OPTIONS = "DENY"
MIDDLEWARE = [
    # First: it answers what belongs to JMAP, which needs none of the others.
    "jmapcore.edge.EdgeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
STATIC_URL = "/static/"
# Only for `collectstatic`; without it WhiteNoise serves the files straight from the packages.
STATIC_ROOT = os.environ.get("STATIC_ROOT") or None
WHITENOISE_USE_FINDERS = True
# Served at /: the icon that browsers ask for.
WHITENOISE_ROOT = BASE_DIR / "jmapsite" / "root"

# Tasks
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

# Logging: never an address, a subject, a token or a query string. What no format here shows is not looked up for each line.
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        # Only these would propagate to Django's own handlers, which are for development.
        "django": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "daphne": {"level": "WARNING"},
        # aiosmtpd's.
        "mail.log": {"level": "WARNING"},
    },
}

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


def _trusted_proxies() -> tuple[Network, ...]:
    try:
        return trusted_networks(os.environ.get("TRUSTED_PROXIES", "").split(","))
    except ValueError as error:
        raise SystemExit(f"TRUSTED_PROXIES is a list of IP addresses and networks: {error}.") from error


# Whose X-Forwarded-For is believed. Empty: nobody's.
TRUSTED_PROXIES = _trusted_proxies()


def _fetch_allowed_networks() -> tuple[Network, ...]:
    try:
        return networks(os.environ.get("FETCH_ALLOWED_NETWORKS", "").replace(",", " ").split())
    except ValueError as error:
        raise SystemExit(
            f"FETCH_ALLOWED_NETWORKS is a list of IP addresses and networks: {error}."
        ) from error


def _fetch_ca_file() -> str:
    path = os.environ.get("FETCH_CA_FILE", "")
    if path and not Path(path).is_file():
        raise SystemExit(f"FETCH_CA_FILE names {path}, which is no file.")
    return path


# Requests to URLs that users give (web push): networks that may be reached though they are not public, for tests and closed
# networks, and a file of certificates that are trusted besides the usual ones.
FETCH_ALLOWED_NETWORKS = _fetch_allowed_networks()
FETCH_CA_FILE = _fetch_ca_file()
# What push services are told of whom to write to (RFC 8292 §2.1): a mailto: or https: URL.
PUSH_CONTACT = os.environ.get("PUSH_CONTACT") or (PUBLIC_URL if PUBLIC_URL.startswith("https:") else "")
# Processes of the worker that push at a time: receivers may be slow, and the other tasks must not wait for them.
PUSH_PROCESSES = _number("PUSH_PROCESSES", 1)
# Whether a commit wakes web push at once. Without, the sweep finds what changed within 30 seconds.
PUSH_AT_ONCE = True

# JMAP
_MEGABYTE = 1_000_000
JMAP_LIMITS = {
    "maxSizeUpload": 50 * _MEGABYTE,
    "maxConcurrentUpload": 4,
    "maxSizeRequest": 10 * _MEGABYTE,
    "maxConcurrentRequests": 8,
    "maxCallsInRequest": 32,
    "maxObjectsInGet": 1_000,
    "maxObjectsInSet": 500,
}
JMAP_MAX_SIZE_ANSWER = 50 * _MEGABYTE
# What one answer of /query, /changes and /queryChanges holds at most.
JMAP_MAX_QUERY_IDS = 50_000
JMAP_MAX_CHANGES = 10_000
JMAP_MAX_QUERY_CHANGES = 10_000
# JMAP calls at work at once in one web process; further threads wait for slow clients.
JMAP_CONCURRENT_CALLS = 2
JMAP_WAIT_SECONDS = 30
# How long one request may be at work; the calls that are left then answer serverUnavailable.
JMAP_REQUEST_SECONDS = 15
JMAP_POOL_SIZE = _number("JMAP_POOL_SIZE", 8)
JMAP_POOL_TIMEOUT_SECONDS = 5
JMAP_CHANGE_LOG_DAYS = _number("JMAP_CHANGE_LOG_DAYS", 90)
# Connections to one process `push`, and those of one user among them; open files may allow fewer.
PUSH_CONNECTIONS = _number("PUSH_CONNECTIONS", 20_000)
PUSH_CONNECTIONS_OF_USER = _number("PUSH_CONNECTIONS_OF_USER", 10_000)
# Seconds between two comparisons of the states of all connected accounts with the database: what was never announced is so late.
PUSH_COMPARE_SECONDS = _number("PUSH_COMPARE_SECONDS", 20)
# What a new account begins with, in this order: names and roles. An empty role is none.
MAIL_DEFAULT_MAILBOXES = [
    ("Inbox", "inbox"),
    ("Drafts", "drafts"),
    ("Sent", "sent"),
    ("Archive", "archive"),
    ("Junk", "junk"),
    ("Trash", "trash"),
]
# Whether the charset of text without a usable label is guessed, and UTF-7 read (RFC 8621 §9.1); after a change: `reingest --all`.
MAIL_DETECT_CHARSETS = _choice("MAIL_DETECT_CHARSETS", default=True)
MAIL_ALLOW_UTF7 = _choice("MAIL_ALLOW_UTF7", default=False)
# Languages whose stems words are found by: Snowball's names, with spaces between them; after a change: `reingest --all`.
MAIL_SEARCH_LANGUAGES = _languages("MAIL_SEARCH_LANGUAGES", "english")
# Sending: what one submission may be, how long it may wait, and the extensions whose parameters an envelope may have.
MAIL_MAX_RECIPIENTS = _number("MAIL_MAX_RECIPIENTS", 1_000)
MAIL_MAX_SIZE_SUBMISSION = _number("MAIL_MAX_SIZE_SUBMISSION", 75 * _MEGABYTE)
MAIL_MAX_DELAYED_SEND_SECONDS = 30 * 24 * 3_600


def _submission_extensions() -> dict[str, list[str]]:
    known: dict[str, list[str]] = {
        "FUTURERELEASE": [],
        "SIZE": [str(MAIL_MAX_SIZE_SUBMISSION)],
        "DSN": [],
        "8BITMIME": [],
        "SMTPUTF8": [],
    }
    names = os.environ.get("MAIL_SUBMISSION_EXTENSIONS", " ".join(known)).replace(",", " ").upper().split()
    if strange := set(names) - set(known):
        raise SystemExit(
            f"MAIL_SUBMISSION_EXTENSIONS can name {', '.join(known)}, not {', '.join(sorted(strange))}."
        )
    return {name: known[name] for name in known if name in names}


MAIL_SUBMISSION_EXTENSIONS = _submission_extensions()


def _relay() -> Relay | None:
    try:
        return parse_relay(os.environ.get("MAIL_RELAY_URL", ""))
    except ValueError as error:
        # Without the value: there may be a password in it.
        raise SystemExit(f"MAIL_RELAY_URL: {error}.") from None


# Where mail that is sent goes: smtp://, smtp+starttls:// or smtps://, user:password@, host:port. None: to this service alone.
MAIL_RELAY: Relay | None = _relay()
# A file of certification authorities by which the relay is known; empty: those of the system.
MAIL_RELAY_CA = os.environ.get("MAIL_RELAY_CA", "")
if MAIL_RELAY_CA and not Path(MAIL_RELAY_CA).is_file():
    raise SystemExit(f"MAIL_RELAY_CA names {MAIL_RELAY_CA}, which is no file.")
# Recipients to whom one user, and everybody of a tenant, may send within an hour.
MAIL_RECIPIENTS_PER_HOUR = _number("MAIL_RECIPIENTS_PER_HOUR", 500)
MAIL_RECIPIENTS_PER_HOUR_OF_TENANT = _number("MAIL_RECIPIENTS_PER_HOUR_OF_TENANT", 5_000)
# Messages that one process of the worker sends at once; each has a connection to the relay.
MAIL_SENDERS = _number("MAIL_SENDERS", 6)
# Seconds until the next attempt for recipients who were put off, after the first, the second, and so on; the last one repeats.
MAIL_RETRY_SECONDS = (15, 60, 180, 300, 600, 1_200, 2_400, 3_600, 7_200, 14_400)
# When a sender who asked for it is told of a delay (RFC 3461).
MAIL_DELAY_NOTICE_SECONDS = 4 * 3_600


def _host_name() -> str:
    given = os.environ.get("MAIL_HOST_NAME")
    name = normalise_domain(given or platform.node())
    if name is None and given:
        raise SystemExit("MAIL_HOST_NAME must be the name of a host, for example mail.example.org.")
    return name or "localhost"


def _over_quota() -> str:
    reply = os.environ.get("MAIL_OVER_QUOTA") or "452"
    if reply not in {"452", "552"}:
        raise SystemExit("MAIL_OVER_QUOTA must be 452 (try again later) or 552 (refused for good).")
    return reply


def _junk_fields() -> tuple[JunkRule, ...]:
    try:
        return junk_rules(os.environ.get("MAIL_JUNK_FIELDS", "X-Spam-Flag: YES; X-Spam: Yes"))
    except ValueError as error:
        raise SystemExit(f"MAIL_JUNK_FIELDS: {error}.") from None


# The name by which this host goes in the mail that it takes and sends.
MAIL_HOST_NAME = _host_name()
# Mail that comes in: what is said of a full account, and the header fields that put a message into Junk.
MAIL_OVER_QUOTA = _over_quota()
MAIL_JUNK_FIELDS = _junk_fields()
# Who takes mail to postmaster, with any domain and without, where nobody has that address; empty: it is unknown.
MAIL_POSTMASTER = os.environ.get("MAIL_POSTMASTER", "")


def _trusted_peers() -> tuple[Network, ...]:
    try:
        return trusted_networks(
            os.environ.get("LMTP_TRUSTED_PEERS", "127.0.0.0/8,::1").replace(",", " ").split()
        )
    except ValueError as error:
        raise SystemExit(f"LMTP_TRUSTED_PEERS is a list of IP addresses and networks: {error}.") from error


def _socket(name: str, file: str) -> str:
    path = os.environ.get(name)
    if path is None:
        beside = str(VAR_DIR / file)
        return beside if len(os.fsencode(beside)) <= LONGEST_SOCKET_PATH else ""
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
        raise SystemExit(
            f"{name} is longer than the {LONGEST_SOCKET_PATH} bytes that a socket's path can have."
        )
    return path


# The LMTP server, and what it tells the MTA in front of it: where both listen besides HOST, and to whom.
LMTP_TRUSTED_PEERS = _trusted_peers()
LMTP_SOCKET = _socket("LMTP_SOCKET", "lmtp.sock")
LOOKUP_SOCKET = _socket("LOOKUP_SOCKET", "lookup.sock")
# The group that may open them besides their owner; empty: nobody.
LMTP_SOCKET_GROUP = os.environ.get("LMTP_SOCKET_GROUP", "")
LMTP_MAX_SIZE = _number("LMTP_MAX_SIZE", 50 * _MEGABYTE)
LMTP_MAX_RECIPIENTS = _number("LMTP_MAX_RECIPIENTS", 1_000)
LMTP_MAX_CONNECTIONS = _number("LMTP_MAX_CONNECTIONS", 100)
LMTP_IDLE_SECONDS = 300
LMTP_ALLOW_LONE_LINE_ENDS = _choice("LMTP_ALLOW_LONE_LINE_ENDS", default=False)
# Processes, and threads in each that store messages and have a connection to PostgreSQL each.
LMTP_PROCESSES = _number("LMTP_PROCESSES", 2)
LMTP_THREADS = _number("LMTP_THREADS", 4)
# Quotas where none is set for the account, the domain, the tenant, the service: hard limits, None for none; then the share of the
# lowest limit, in percent, from which programs may warn.
QUOTA_DEFAULTS = {
    kind: {
        "octets": _limit(f"QUOTA_{kind.upper()}_OCTETS", octets, octets=True),
        "count": _limit(f"QUOTA_{kind.upper()}_MESSAGES", messages, octets=False),
    }
    for kind, octets, messages in (
        ("account", 10_000 * _MEGABYTE, 2_000_000),
        ("domain", None, None),
        ("tenant", None, None),
        ("server", None, None),
    )
}
QUOTA_WARN_PERCENT = _number("QUOTA_WARN_PERCENT", 90)
# Blobs: "rows" of PostgreSQL, or "files" in the storage jmap-blobs. It may change at any time: each blob knows where it is.
JMAP_BLOB_STORAGE = os.environ.get("JMAP_BLOB_STORAGE") or "rows"
# Octets of unreferenced blobs for each user of an account.
# Uploads and large downloads in one web process, and those of one user: each holds one of the process's 128 threads.
JMAP_TRANSFERS = 96
JMAP_TRANSFERS_OF_USER = 24
JMAP_UNREFERENCED_BLOB_QUOTA = 200 * _MEGABYTE
# Uploads on their way in; made with mode 0700 when the first one comes.
JMAP_SPOOL_DIRECTORY = str(VAR_DIR / "spool")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "jmap-blobs": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": str(VAR_DIR / "blobs"),
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
}
