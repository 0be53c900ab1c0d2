"""What the tests of blobs do over and over: uploads, downloads, pictures, and moving the clock by moving
the rows."""

from __future__ import annotations

import io
import secrets
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponseBase
from django.test import RequestFactory, override_settings

from accounts.access import AccountAccess
from jmapcore.blobs.backends import bytes_write
from jmapcore.blobs.download import send_download
from jmapcore.blobs.unreferenced import schedule
from jmapcore.blobs.upload import receive_upload
from jmapcore.blobs.wire_ids import parse_blob_id
from jmapcore.store import database
from jmapcore.store.database import Row, read
from jmapcore.store.write import account_write
from tests.support.cast import Person

FACTORY = RequestFactory()


def access(person: Person, user: Person | None = None, *, is_read_only: bool = False) -> AccountAccess:
    """What `user` (default: the owner) may do with the account of `person`."""
    user = user or person
    return AccountAccess(
        person.account.pk, user.user.pk, person.address, user is person, is_read_only, user is person
    )


def fresh_bytes(size: int = 100) -> bytes:
    """Octets that no other test has."""
    return secrets.token_bytes(size)


def upload_request(data: bytes, content_type: str = "image/png", **environ: Any) -> HttpRequest:
    """An upload with a Content-Length."""
    return FACTORY.generic("POST", "/upload", data, content_type=content_type, **environ)


def chunked_request(data: bytes, content_type: str = "image/png") -> HttpRequest:
    """An upload without a Content-Length, as Granian hands one on."""
    request = FACTORY.generic("POST", "/upload", b"", content_type=content_type)
    request.META.pop("CONTENT_LENGTH", None)
    request.META["HTTP_TRANSFER_ENCODING"] = "chunked"
    request.META["wsgi.input"] = io.BytesIO(data)
    return request


def uploaded(account: AccountAccess, data: bytes, content_type: str = "image/png") -> str:
    """Upload; the blob's wire id."""
    answer: dict[str, Any] = orjson.loads(receive_upload(upload_request(data, content_type), account).content)
    return str(answer["blobId"])


def download(
    account: AccountAccess,
    wire_id: str,
    name: str = "name",
    media_type: str = "image/png",
    *,
    method: str = "GET",
    **headers: str,
) -> HttpResponseBase:
    """Download with header fields given as `if_none_match="…"`."""
    environ = {f"HTTP_{key.upper()}": value for key, value in headers.items()}
    request = FACTORY.generic(method, "/download", **environ)  # type: ignore[arg-type]  # entries of the environ
    return send_download(request.META, account, wire_id, name, media_type)


def body(response: HttpResponseBase) -> bytes:
    """The whole body, streamed or not."""
    return b"".join(response)


def number(wire_id: str) -> int:
    """The blob id behind a wire id."""
    name = parse_blob_id(wire_id)
    assert name is not None
    return name.blob_id


def hang(account: AccountAccess, wire_id: str) -> int:
    """Make a picture that refers to the blob; its id."""
    with database.connection() as connection, account_write(account.account_id, connection) as write:
        [picture] = write.new_ids()
        write.execute(
            "INSERT INTO toy_picture (account_id, id, blob_id) VALUES (%s, %s, %s)",
            (account.account_id, picture, number(wire_id)),
        )
    return picture


def take_down(account: AccountAccess, wire_id: str) -> None:
    """Destroy the pictures of a blob, as an application does: in one write with `schedule`."""
    with database.connection() as connection, account_write(account.account_id, connection) as write:
        write.execute(
            "DELETE FROM toy_picture WHERE account_id = %s AND blob_id = %s",
            (account.account_id, number(wire_id)),
        )
        schedule(write, [number(wire_id)])


def age(account: AccountAccess, wire_id: str, minutes: int) -> None:
    """Let everything about a blob have happened so much earlier."""
    with database.connection() as connection, bytes_write(account.account_id, connection):
        for sql in (
            "UPDATE blob_upload SET uploaded_at = uploaded_at - %s * interval '1 minute'"
            " WHERE account_id = %s AND blob_id = %s",
            "UPDATE blob_sweep SET due_at = due_at - %s * interval '1 minute'"
            " WHERE account_id = %s AND blob_id = %s",
        ):
            connection.execute(sql, (minutes, account.account_id, number(wire_id)))


def rows_of(account: AccountAccess, table: str, wire_id: str) -> list[Row]:
    """The rows that a table has for a blob."""
    column = "id" if table == "blob" else "blob_id"
    with database.connection() as connection:
        [found] = read(
            connection,
            account.account_id,
            (
                f"SELECT * FROM {table} WHERE account_id = %s AND {column} = %s",  # noqa: S608  # our own names
                (account.account_id, number(wire_id)),
            ),
        )
    return found


def files_below(directory: Path) -> AbstractContextManager[object]:
    """Keep new blobs as files below this directory for a while."""
    backend = "django.core.files.storage.FileSystemStorage"
    return override_settings(
        JMAP_BLOB_STORAGE="files",
        STORAGES={"jmap-blobs": {"BACKEND": backend, "OPTIONS": {"location": str(directory)}}},
    )
