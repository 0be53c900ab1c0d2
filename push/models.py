"""The tables of push."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from push.subscriptions.models import PushCreation, PushSubscription, VapidKey

__all__ = ["PushCreation", "PushSubscription", "Ticket", "VapidKey"]


class Ticket(models.Model):  # noqa: DJ008  # never shown to a person
    """A ticket that stands for a credential on a transport of push; only the sha256 (hex) of its secret is kept."""

    checksum = models.CharField(max_length=64, primary_key=True)
    transport = models.TextField()
    user_id = models.BigIntegerField()
    credential = models.TextField()
    proof = models.TextField(db_default="")
    issued_at = models.DateTimeField(db_default=Now())
    first_used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "push_ticket"
        indexes = [models.Index(fields=["user_id", "issued_at"], name="push_ticket_of_user")]
