"""The tables of web push: subscriptions of users, and the keys that sign what is pushed (docs/adr/0302).

They belong to users and to the service, not to accounts, so they have no policy; URL and keys of a subscription are sealed.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class VapidKey(models.Model):  # noqa: DJ008  # never shown to a person
    """A key of the service, whose public half clients hand to their push services (RFC 8292). One of them is not retired."""

    public_key = models.TextField()
    """Uncompressed point, base64url."""
    sealed_private_key = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now())
    retired_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "push"
        db_table = "push_vapid_key"
        constraints = [
            models.UniqueConstraint(
                models.Value(1), name="push_vapid_key_one", condition=models.Q(retired_at=None)
            ),
        ]


class PushSubscription(models.Model):  # noqa: DJ008  # never shown to a person
    """A PushSubscription (RFC 8620 §7.2), and its place in the queue of pushes: it waits for one while `due_at` is set."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    number = models.IntegerField()
    """Random: the id on the wire says nothing of how many there are."""
    owner = models.TextField()
    """The lasting name of the credential that it belongs to (`accounts.standing`)."""
    sealed_endpoint = models.BinaryField()
    """URL and keys."""
    device_client_id = models.TextField()
    types = models.TextField(default="null")
    """JSON: the names of types; null: all."""
    email_push = models.TextField(default="null")
    """JSON: EmailPushConfig by account id, or null."""
    expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    vapid_key = models.ForeignKey(VapidKey, null=True, on_delete=models.CASCADE, related_name="+")

    code = models.TextField()
    is_code_sent = models.BooleanField(default=False)
    is_verified = models.BooleanField(default=False)

    sent = models.TextField(default="{}")
    """JSON: the state of each type that the client was told last, by account id."""
    seen = models.JSONField(default=dict)
    """Epoch and number of each account's newest change when it was looked at last: what the sweep compares."""
    arrived = models.TextField(default="{}")
    """JSON: the number in each account's log up to which arrivals were told of."""

    due_at = models.DateTimeField(null=True)
    not_before = models.DateTimeField(db_default=Now())
    """Pushes keep their distance, and grow rarer where the receiver asks for that or fails."""
    notices = models.BigIntegerField(default=0)
    """How often something called for a push: whoever pushes sees by it whether more came meanwhile."""
    failures = models.IntegerField(default=0)
    gap_seconds = models.FloatField(default=0)
    lease = models.BigIntegerField(null=True)
    leased_until = models.DateTimeField(null=True)
    """A process is pushing; after this it is thought dead."""

    class Meta:
        app_label = "push"
        db_table = "push_subscription"
        constraints = [models.UniqueConstraint(fields=["user", "number"], name="push_subscription_number")]
        indexes = [
            models.Index(
                fields=["due_at"], name="push_subscription_due", condition=models.Q(due_at__isnull=False)
            ),
        ]


class PushCreation(models.Model):  # noqa: DJ008  # as above
    """That a user made a subscription, kept for an hour: so many may be made in one."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        app_label = "push"
        db_table = "push_creation"
        indexes = [models.Index(fields=["created_at"], name="push_creation_age")]
