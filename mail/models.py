"""The tables of the mail store (RFC 8621 §2, §3, §4), written by `mail.ingest`, `mail.membership`, `mail.mailboxes`.

What a message says (subject, addresses, structure) is computed once and stored as JSON text, ready to be spliced
into an answer; what a person changes (keywords, mailboxes) is in narrow rows of its own, so that a flag flip stays
one small update. No index names a column that a flag flip changes.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Value
from django.db.models.functions import Now

from jmapcore.store.tracked import TrackedModel


class Mailbox(TrackedModel):
    """A Mailbox (RFC 8621 §2) with its four counts, which `mail.counters` maintains."""

    pk = models.CompositePrimaryKey("account_id", "id")
    account_id = models.BigIntegerField()
    id = models.IntegerField()
    name = models.TextField()
    parent_id = models.IntegerField(null=True)
    role = models.TextField(null=True)  # noqa: DJ001  # unique where there is one; null is the RFC's word for none
    sort_order = models.IntegerField(default=0)
    total_emails = models.IntegerField(default=0)
    unread_emails = models.IntegerField(default=0)
    total_threads = models.IntegerField(default=0)
    unread_threads = models.IntegerField(default=0)

    class Meta(TrackedModel.Meta):
        db_table = "mailbox"
        constraints = [
            # Deferrable: siblings may swap their names, and mailboxes their roles, within one write.
            models.UniqueConstraint(
                fields=["account_id", "parent_id", "name"],
                name="mailbox_sibling_name",
                nulls_distinct=False,
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.UniqueConstraint(
                fields=["account_id", "role"], name="mailbox_role", deferrable=models.Deferrable.DEFERRED
            ),
        ]


class MailboxUser(TrackedModel):
    """What one user says of a mailbox: whether it is subscribed. No row: not subscribed (RFC 8621 §2)."""

    pk = models.CompositePrimaryKey("account_id", "mailbox_id", "user_id")
    account_id = models.BigIntegerField()
    mailbox_id = models.IntegerField()
    user_id = models.BigIntegerField()
    is_subscribed = models.BooleanField()

    class Meta(TrackedModel.Meta):
        db_table = "mailbox_user"


class Thread(TrackedModel):
    """A Thread (RFC 8621 §3): the wire ids of its Emails by receivedAt, then id, as JSON text."""

    pk = models.CompositePrimaryKey("account_id", "id")
    account_id = models.BigIntegerField()
    id = models.IntegerField()
    email_ids_json = models.TextField()

    class Meta(TrackedModel.Meta):
        db_table = "thread"


class Email(TrackedModel):
    """The metadata of an Email (RFC 8621 §4.1.1).

    `keywords` are lower case and sorted, `mailbox_ids` sorted; the two JSON texts are their wire form.
    """

    pk = models.CompositePrimaryKey("account_id", "id")
    account_id = models.BigIntegerField()
    id = models.IntegerField()
    thread_id = models.IntegerField()
    received_at = models.DateTimeField()
    size = models.IntegerField()
    keywords = ArrayField(models.TextField())
    mailbox_ids = ArrayField(models.IntegerField())
    keywords_json = models.TextField()
    mailboxes_json = models.TextField()

    class Meta(TrackedModel.Meta):
        db_table = "email"
        indexes = [
            models.Index(
                "account_id",
                models.F("received_at").desc(),
                models.F("id").desc(),
                include=["thread_id"],
                name="email_received",
            ),
        ]


class EmailStatic(TrackedModel):
    """What parsing a message gave (`mail.fragments`): written once, rebuilt by `reingest` where `format` is old."""

    pk = models.CompositePrimaryKey("account_id", "id")
    account_id = models.BigIntegerField()
    id = models.IntegerField()
    blob_id = models.IntegerField()
    format = models.SmallIntegerField()
    static_json = models.TextField()
    """The JSON texts of `mail.fragments.STATIC_PROPERTIES`, one on each line."""
    body_json = models.TextField()
    """The compact body structure (`mail.message`)."""

    class Meta(TrackedModel.Meta):
        db_table = "email_static"
        indexes = [models.Index(fields=["account_id", "blob_id"], name="email_static_blob")]


class EmailMailbox(TrackedModel):
    """That an Email is in a mailbox. The migration adds thread_id to the primary key's index."""

    pk = models.CompositePrimaryKey("account_id", "mailbox_id", "received_at", "email_id")
    account_id = models.BigIntegerField()
    mailbox_id = models.IntegerField()
    email_id = models.IntegerField()
    received_at = models.DateTimeField()
    thread_id = models.IntegerField()

    class Meta(TrackedModel.Meta):
        db_table = "email_mailbox"
        indexes = [
            models.Index(
                fields=["account_id", "thread_id"],
                include=["mailbox_id", "email_id", "received_at"],
                name="email_mailbox_thread",
            ),
        ]


class ThreadMailbox(TrackedModel):
    """That a Thread has Emails in a mailbox: how many, and the latest of them. Collapsed queries read this alone."""

    pk = models.CompositePrimaryKey("account_id", "thread_id", "mailbox_id")
    account_id = models.BigIntegerField()
    mailbox_id = models.IntegerField()
    thread_id = models.IntegerField()
    latest_at = models.DateTimeField()
    latest_email_id = models.IntegerField()
    total = models.IntegerField()

    class Meta(TrackedModel.Meta):
        db_table = "thread_mailbox"
        indexes = [
            models.Index(
                "account_id",
                "mailbox_id",
                models.F("latest_at").desc(),
                models.F("latest_email_id").desc(),
                include=["thread_id"],
                name="thread_mailbox_latest",
            ),
        ]


class EmailKeyword(TrackedModel):
    """That an Email has a keyword. `$seen` is stored inverted: most mail is seen (`fragments.UNSEEN`)."""

    pk = models.CompositePrimaryKey("account_id", "keyword", "received_at", "email_id")
    account_id = models.BigIntegerField()
    keyword = models.TextField()
    received_at = models.DateTimeField()
    email_id = models.IntegerField()
    thread_id = models.IntegerField()

    class Meta(TrackedModel.Meta):
        db_table = "email_keyword"


class EmailSearch(TrackedModel):
    """The words of an Email (`mail.search`); the migration makes the table, its partitions and its index.

    It alone may be read whatever the account: each lexeme names the account, and each query too.
    """

    pk = models.CompositePrimaryKey("id", "account_id")
    account_id = models.BigIntegerField()
    id = models.IntegerField()
    thread_id = models.IntegerField()
    received_at = models.DateTimeField()
    tsv = SearchVectorField()

    class Meta(TrackedModel.Meta):
        db_table = "email_search"
        managed = False


class ThreadRef(TrackedModel):
    """That messages of a Thread name a message id under a base subject (`mail.threading.reference_hash`)."""

    pk = models.CompositePrimaryKey("account_id", "hash", "thread_id")
    account_id = models.BigIntegerField()
    hash = models.BigIntegerField()
    thread_id = models.IntegerField()

    class Meta(TrackedModel.Meta):
        db_table = "thread_ref"
        indexes = [models.Index(fields=["account_id", "thread_id"], name="thread_ref_thread")]


class Identity(TrackedModel):
    """An Identity (RFC 8621 §6), written by `mail.identities`: one for each address of the account, and those that users add."""

    pk = models.CompositePrimaryKey("account_id", "id")
    account_id = models.BigIntegerField()
    id = models.IntegerField()
    name = models.TextField()
    email = models.TextField()
    """In its normal spelling (`accounts.addresses`); `*@domain` where the account takes what nobody in the domain receives."""
    reply_to = models.JSONField(null=True)
    bcc = models.JSONField(null=True)
    text_signature = models.TextField()
    html_signature = models.TextField()
    may_delete = models.BooleanField()
    """Not set: it was given with the address, and goes with it."""

    class Meta(TrackedModel.Meta):
        db_table = "identity"


class EmailSubmission(TrackedModel):
    """An EmailSubmission (RFC 8621 §7), and what its delivery needs.

    `blob_id` is the message as it was submitted, held until nothing more is to be delivered; as long as it is set there is a
    `SubmissionQueue` row. A destroyed submission that is still to be delivered is kept, hidden, until then.
    """

    pk = models.CompositePrimaryKey("account_id", "id")
    account_id = models.BigIntegerField()
    id = models.IntegerField()
    identity_id = models.IntegerField()
    email_id = models.IntegerField()
    thread_id = models.IntegerField()
    envelope = models.JSONField()
    send_at = models.DateTimeField()
    undo_status = models.TextField()
    delivery_status = models.JSONField()
    dsn_blob_ids = models.JSONField()
    mdn_blob_ids = models.JSONField()
    blob_id = models.IntegerField(null=True)
    user_id = models.BigIntegerField()
    """Who submitted it: limits of how much may be sent are each user's."""
    is_destroyed = models.BooleanField(default=False)
    envelope_id = models.TextField()
    """What nobody can guess, and what comes back with receipts (`mail.submissions.new_token`)."""
    reports = models.JSONField(default=list, db_default=Value([], models.JSONField()))
    """Delivery status notifications that are still to be made for the sender (`mail.outbound.reports`)."""

    class Meta(TrackedModel.Meta):
        db_table = "email_submission"
        indexes = [
            models.Index(fields=["account_id", "send_at", "id"], name="email_submission_send_at"),
            models.Index(fields=["account_id", "email_id"], name="email_submission_email"),
            models.Index(fields=["account_id", "envelope_id"], name="email_submission_envelope"),
            models.Index(
                fields=["account_id", "blob_id"],
                name="email_submission_blob",
                condition=models.Q(blob_id__isnull=False),
            ),
        ]


class SubmissionQueue(models.Model):  # noqa: DJ008  # never shown to a person
    """That a submission is still to be delivered, and when next. Crosses accounts, so it holds no content and has no policy.

    Whoever delivers claims due rows with SKIP LOCKED, counts the attempt and takes a lease; what nobody has a lease of and
    nobody has taken can be cancelled. The row goes with the end of the delivery.
    """

    pk = models.CompositePrimaryKey("account_id", "id")
    account_id = models.BigIntegerField()
    id = models.IntegerField()
    due_at = models.DateTimeField()
    """When it may be claimed next; that is the end of the lease while there is one."""
    leased_until = models.DateTimeField(null=True)
    attempts = models.IntegerField(db_default=0)
    """How often it was claimed, which tells one lease from the next."""
    give_up_at = models.DateTimeField(null=True)
    """When what is not delivered by then fails. Null: never set, which only rows of an older version have."""
    taken = ArrayField(models.IntegerField(), db_default=Value([], ArrayField(models.IntegerField())))
    """The places, in the envelope, of recipients for whom the message has left: noted before anything else is."""
    told_delay = models.BooleanField(db_default=False)
    """That the sender was told of the delay (RFC 3461 §4.1, NOTIFY=DELAY)."""

    class Meta:
        db_table = "submission_queue"
        indexes = [models.Index(fields=["due_at"], name="submission_queue_due")]


class SentRecipients(models.Model):  # noqa: DJ008  # never shown to a person
    """To how many recipients a user submitted mail in one minute (`mail.outbound.rates`); rows go after hours."""

    pk = models.CompositePrimaryKey("tenant_id", "user_id", "minute")
    tenant_id = models.BigIntegerField()
    user_id = models.BigIntegerField()
    minute = models.DateTimeField()
    recipients = models.IntegerField()

    class Meta:
        db_table = "sent_recipients"
        indexes = [
            models.Index(
                fields=["tenant_id", "minute"], include=["recipients"], name="sent_recipients_tenant"
            ),
            models.Index(fields=["minute"], name="sent_recipients_minute"),
        ]


class DkimKey(models.Model):
    """A key that mail from a domain is signed with (RFC 6376); `private_key` is encrypted (`mail.outbound.keys`).

    The oldest of a domain that is not retired signs, as long as the domain is the tenant's that it was made for.
    """

    domain = models.CharField(max_length=253)
    selector = models.CharField(max_length=63)
    tenant_id = models.BigIntegerField()
    private_key = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "dkim_key"
        constraints = [models.UniqueConstraint(fields=["domain", "selector"], name="dkim_key_selector")]

    def __str__(self) -> str:
        return f"{self.selector}._domainkey.{self.domain}"


class RelayOffer(models.Model):  # noqa: DJ008  # never shown to a person
    """What a relay answered to EHLO: the extensions, by its address without credentials."""

    relay = models.TextField(primary_key=True)
    extensions = models.JSONField()
    learned_at = models.DateTimeField()

    class Meta:
        db_table = "relay_offer"


class SubmissionReport(TrackedModel):
    """That a submission names a receipt in `dsn_blob_ids` or `mdn_blob_ids`: its blob stays, whatever becomes of the Email."""

    pk = models.CompositePrimaryKey("account_id", "submission_id", "blob_id")
    account_id = models.BigIntegerField()
    submission_id = models.IntegerField()
    blob_id = models.IntegerField()

    class Meta(TrackedModel.Meta):
        db_table = "submission_report"
        indexes = [models.Index(fields=["account_id", "blob_id"], name="submission_report_blob")]


class VacationResponse(TrackedModel):
    """The VacationResponse of an account (RFC 8621 §8): one row, with the id 0."""

    pk = models.CompositePrimaryKey("account_id", "id")
    account_id = models.BigIntegerField()
    id = models.IntegerField()
    is_enabled = models.BooleanField(default=False)
    from_date = models.DateTimeField(null=True)
    to_date = models.DateTimeField(null=True)
    subject = models.TextField(null=True)  # noqa: DJ001  # null asks the server for one
    text_body = models.TextField(null=True)  # noqa: DJ001  # null asks the server for one
    html_body = models.TextField(null=True)  # noqa: DJ001  # null asks the server for one

    class Meta(TrackedModel.Meta):
        db_table = "vacation_response"


class VacationSender(TrackedModel):
    """Whom the vacation response of an account was sent to, and when (`mail.vacation`); as long as it is the same one."""

    pk = models.CompositePrimaryKey("account_id", "address")
    account_id = models.BigIntegerField()
    address = models.TextField()
    answered_at = models.DateTimeField()

    class Meta(TrackedModel.Meta):
        db_table = "vacation_sender"
        indexes = [models.Index(fields=["answered_at"], name="vacation_sender_age")]


class DeliveredMessage(TrackedModel):
    """That a message was delivered to the account of late: the same one is stored once (docs/adr/0205).

    No change is recorded for it. `hash` is what `mail.delivery.duplicates` makes of the message; rows go after a day.
    """

    pk = models.CompositePrimaryKey("account_id", "hash")
    account_id = models.BigIntegerField()
    hash = models.BinaryField()
    delivered_at = models.DateTimeField(db_default=Now())

    class Meta(TrackedModel.Meta):
        db_table = "delivered_message"
        indexes = [models.Index(fields=["delivered_at"], name="delivered_message_age")]


class DeliveryPreference(TrackedModel):
    """What the owner of an account chose for mail that comes in; no row: nothing. No change is recorded for it."""

    account_id = models.BigIntegerField(primary_key=True)
    files_details = models.BooleanField(default=False)
    """Mail to `user+detail@…` goes to the mailbox named `detail`, where there is one."""

    class Meta(TrackedModel.Meta):
        db_table = "delivery_preference"
