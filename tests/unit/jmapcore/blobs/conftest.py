"""A toy type that holds blobs, and its table: pictures on a wall."""

from __future__ import annotations

import pytest
from django.db import connections

from jmapcore.blobs.references import BlobReference, register_reference
from jmapcore.store.policies import protect

PICTURES = """
    CREATE TABLE IF NOT EXISTS toy_picture (
        account_id bigint NOT NULL, id integer NOT NULL, blob_id integer NOT NULL,
        PRIMARY KEY (account_id, id),
        FOREIGN KEY (account_id, blob_id) REFERENCES blob (account_id, id) DEFERRABLE INITIALLY DEFERRED
    );
    CREATE INDEX IF NOT EXISTS toy_picture_blob ON toy_picture (account_id, blob_id);
    GRANT SELECT, INSERT, UPDATE, DELETE ON toy_picture TO PUBLIC;
"""


@pytest.fixture(scope="session", autouse=True)
def pictures(database: None) -> None:
    """Make the table, and tell that it refers to blobs."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(PICTURES + protect("toy_picture"))
    register_reference(BlobReference("Picture", "toy_picture", "blob_id", "id"))
