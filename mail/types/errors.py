"""The SetErrors that RFC 8621 adds."""

from __future__ import annotations

from jmapcore.protocol.errors import SetError


class MailboxHasChild(SetError):  # noqa: N818  # the RFC's name of the error
    """A mailbox still has a child (RFC 8621 §2.5)."""

    type = "mailboxHasChild"


class MailboxHasEmail(SetError):  # noqa: N818  # the RFC's name of the error
    """A mailbox still has Emails, and onDestroyRemoveEmails was not given (RFC 8621 §2.5)."""

    type = "mailboxHasEmail"


class TooManyKeywords(SetError):  # noqa: N818  # the RFC's name of the error
    """An Email would have more keywords than the server keeps (RFC 8621 §4.6)."""

    type = "tooManyKeywords"


class InvalidEmail(SetError):  # noqa: N818  # the RFC's name of the error
    """A blob to import is no message (RFC 8621 §4.8)."""

    type = "invalidEmail"
