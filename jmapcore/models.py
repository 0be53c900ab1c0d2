"""The tables of the engine: the state of an account, the states of its types, the change log, and blobs."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from jmapcore.store.tracked import TrackedModel


class AccountState(TrackedModel):
    """The hot row of an account: its newest modification sequence number and its next object id. Locked by every write."""

    account_id = models.BigIntegerField(primary_key=True)
    epoch = models.TextField()
    """Random; part of every state string, so that numbers which repeat after a restore from backup are not mistaken."""
    modseq = models.BigIntegerField(default=0)
    next_id = models.IntegerField(default=1)
    used_octets = models.BigIntegerField(db_default=0)
    """What the account's objects that count against its quota are together; see `jmapcore.store.usage`."""
    used_objects = models.BigIntegerField(db_default=0)
    octets_limit = models.BigIntegerField(null=True)
    """The limits that hold for the account, wherever they were set (`accounts.quotas`); null: none."""
    objects_limit = models.BigIntegerField(null=True)
    octets_soft = models.BigIntegerField(null=True)
    objects_soft = models.BigIntegerField(null=True)
    octets_warn = models.BigIntegerField(null=True)
    objects_warn = models.BigIntegerField(null=True)

    class Meta(TrackedModel.Meta):
        db_table = "account_state"


class AccountHeld(models.Model):  # noqa: DJ008  # never shown to a person
    """That an account may not grow, because its domain or tenant as a whole is past a limit (`jmapcore.store.usage.Held`).

    Written for many accounts at once, and read with the lock of one. It holds no content and has no policy.
    """

    account_id = models.BigIntegerField(primary_key=True)
    level = models.SmallIntegerField()

    class Meta:
        db_table = "account_held"


class SharedQuota(TrackedModel):
    """What an administrator's account shows of a sum beside its own: of a domain, a tenant, or everything (RFC 9425 §8).

    A copy of what `jmapcore.quotas` summed up, so that it changes in the account's own write, with its states.
    """

    pk = models.CompositePrimaryKey("account_id", "id")
    account_id = models.BigIntegerField()
    id = models.IntegerField()
    scope = models.TextField()
    """`domain`, `tenant` or `server`."""
    subject = models.BigIntegerField()
    """The number of the domain or tenant; 0 for everything."""
    name = models.TextField()
    resource = models.TextField()
    used = models.BigIntegerField()
    hard = models.BigIntegerField()
    soft = models.BigIntegerField(null=True)
    warn = models.BigIntegerField(null=True)

    class Meta(TrackedModel.Meta):
        db_table = "shared_quota"
        constraints = [
            models.UniqueConstraint(
                fields=["account_id", "scope", "subject", "resource"], name="shared_quota_once"
            )
        ]


class TypeState(TrackedModel):
    """The state of one type in one account (RFC 8620 §5.1), and the floor below which its log was pruned."""

    pk = models.CompositePrimaryKey("account_id", "type")
    account_id = models.BigIntegerField()
    type = models.TextField()
    modseq = models.BigIntegerField()
    floor = models.BigIntegerField(default=0)

    class Meta(TrackedModel.Meta):
        db_table = "type_state"


class ChangeLog(TrackedModel):
    """What happened to which object, append-only, partitioned by month; the migration makes the table."""

    pk = models.CompositePrimaryKey("account_id", "type", "modseq")
    account_id = models.BigIntegerField()
    type = models.TextField()
    modseq = models.BigIntegerField()
    object = models.IntegerField()
    operation = models.CharField(max_length=1)
    logged_at = models.DateTimeField(db_default=Now())

    class Meta(TrackedModel.Meta):
        db_table = "change_log"
        managed = False


class Blob(TrackedModel):
    """A blob of an account: the same bytes in one account are one blob (RFC 8620 §6)."""

    pk = models.CompositePrimaryKey("account_id", "id")
    account_id = models.BigIntegerField()
    id = models.IntegerField()
    hash = models.BinaryField()
    """SHA-256 of the bytes."""
    size = models.BigIntegerField()
    location = models.TextField(default="")
    """Empty: the bytes are in blob_chunk. Else the name under which the blob storage keeps them."""
    created_at = models.DateTimeField(db_default=Now())

    class Meta(TrackedModel.Meta):
        db_table = "blob"
        constraints = [models.UniqueConstraint(fields=["account_id", "hash"], name="blob_hash")]


class BlobChunk(TrackedModel):
    """256 KiB of a blob (one row of 50 MB would cost the web process and the backend a multiple of it)."""

    pk = models.CompositePrimaryKey("account_id", "blob_id", "n")
    account_id = models.BigIntegerField()
    blob_id = models.IntegerField()
    n = models.IntegerField()
    data = models.BinaryField()

    class Meta(TrackedModel.Meta):
        db_table = "blob_chunk"


class BlobUpload(TrackedModel):
    """Who uploaded a blob, and when last: an unreferenced blob is visible to its uploaders alone."""

    pk = models.CompositePrimaryKey("account_id", "blob_id", "user_id")
    account_id = models.BigIntegerField()
    blob_id = models.IntegerField()
    user_id = models.BigIntegerField()
    type = models.TextField(default="")
    size = models.BigIntegerField()
    uploaded_at = models.DateTimeField(db_default=Now())
    in_use = models.BooleanField(db_default=False)
    """The blob was seen referenced: it does not count against the user's quota of unreferenced blobs."""

    class Meta(TrackedModel.Meta):
        db_table = "blob_upload"
        indexes = [
            models.Index(
                fields=["account_id", "user_id", "uploaded_at"],
                name="blob_upload_unused",
                condition=models.Q(in_use=False),
                include=["size"],
            )
        ]


class BlobSweep(models.Model):  # noqa: DJ008  # never shown to a person
    """When a blob is due to be looked at by the sweep. Crosses accounts, so it holds no content and has no policy.

    A row without a blob is one that is being written, or whose bytes are being deleted (`doomed`).
    """

    pk = models.CompositePrimaryKey("account_id", "blob_id")
    account_id = models.BigIntegerField()
    blob_id = models.IntegerField()
    due_at = models.DateTimeField()
    location = models.TextField(db_default="")
    """Where the bytes of a blob without a row are; empty: in blob_chunk."""
    doomed = models.BooleanField(db_default=False)
    """The blob's row is gone and its bytes go next; nothing may take this id up again."""

    class Meta:
        db_table = "blob_sweep"
        indexes = [models.Index(fields=["due_at"], name="blob_sweep_due")]
