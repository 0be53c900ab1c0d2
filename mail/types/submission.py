"""The type EmailSubmission (RFC 8621 §7)."""

from __future__ import annotations

from jmapcore.protocol.schema import (
    CHANGES,
    GET,
    QUERY,
    QUERY_CHANGES,
    SET,
    Argument,
    Filter,
    ObjectType,
    Property,
    SetBy,
    Sort,
)
from jmapcore.protocol.wire import Anything, Id, ListOf, MapOf, Nullable, String, UTCDate
from jmapcore.standard.set import AnyObject
from mail.submissions import TYPE
from mail.types.capability import SUBMISSION
from mail.types.envelope import EnvelopeType
from mail.types.submission_checks import UNDO_STATUSES, check_submissions
from mail.types.submission_storage import EmailSubmissionStorage

EMAIL_SUBMISSION = ObjectType(
    name=TYPE,
    capability=SUBMISSION,
    letter="s",
    methods=frozenset({GET, CHANGES, QUERY, QUERY_CHANGES, SET}),
    storage=EmailSubmissionStorage(),
    properties={
        "id": Property(Id(), set_by=SetBy.SERVER),
        "identityId": Property(Id(to="Identity"), set_by=SetBy.CREATE),
        "emailId": Property(Id(to="Email"), set_by=SetBy.CREATE),
        "threadId": Property(Id(to="Thread"), set_by=SetBy.SERVER),
        "envelope": Property(Nullable(EnvelopeType()), None, SetBy.CREATE),
        "sendAt": Property(UTCDate(), set_by=SetBy.SERVER),
        "undoStatus": Property(String(choices=UNDO_STATUSES), "pending"),
        "deliveryStatus": Property(Anything(), set_by=SetBy.SERVER),
        "dsnBlobIds": Property(ListOf(Id()), set_by=SetBy.SERVER),
        "mdnBlobIds": Property(ListOf(Id()), set_by=SetBy.SERVER),
    },
    filters={
        "identityIds": Filter(ListOf(Id(to="Identity")), ("identityId",), mutable=False),
        # Merged Threads give Emails other ids, so these two may change.
        "emailIds": Filter(ListOf(Id(to="Email")), ("emailId",)),
        "threadIds": Filter(ListOf(Id(to="Thread")), ("threadId",)),
        "undoStatus": Filter(String(), ("undoStatus",)),
        "before": Filter(UTCDate(), ("sendAt",), mutable=False),
        "after": Filter(UTCDate(), ("sendAt",), mutable=False),
    },
    sorts={
        "emailId": Sort(("emailId",)),
        "threadId": Sort(("threadId",)),
        # §7.3 calls the property sendAt by this name.
        "sentAt": Sort(("sendAt",), mutable=False),
        "sendAt": Sort(("sendAt",), mutable=False),
    },
    arguments={
        "set": {
            "onSuccessUpdateEmail": Argument(Nullable(MapOf(Id(to=TYPE), AnyObject()))),
            "onSuccessDestroyEmail": Argument(Nullable(ListOf(Id(to=TYPE)))),
        }
    },
    check_set=check_submissions,
)
