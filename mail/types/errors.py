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


class TooManyMailboxes(SetError):  # noqa: N818  # the RFC's name of the error
    """An Email would be in more mailboxes than the server lets it (RFC 8621 §4.6)."""

    type = "tooManyMailboxes"


class InvalidEmail(SetError):  # noqa: N818  # the RFC's name of the error
    """A blob to import is no message (RFC 8621 §4.8), or an Email cannot be sent as it is (§7.5: `properties` lists why)."""

    type = "invalidEmail"


class ForbiddenFrom(SetError):  # noqa: N818  # the RFC's name of the error
    """The account may not send from the address of an Identity, or from that of a message (RFC 8621 §6.3, §7.5)."""

    type = "forbiddenFrom"


class ForbiddenMailFrom(SetError):  # noqa: N818  # the RFC's name of the error
    """The account may not send with the envelope's mailFrom (RFC 8621 §7.5)."""

    type = "forbiddenMailFrom"


class NoRecipients(SetError):  # noqa: N818  # the RFC's name of the error
    """The envelope has no recipients (RFC 8621 §7.5)."""

    type = "noRecipients"


class TooManyRecipients(SetError):  # noqa: N818  # the RFC's name of the error
    """The envelope has more recipients than the server allows; the member `maxRecipients` says how many (RFC 8621 §7.5)."""

    type = "tooManyRecipients"


class InvalidRecipients(SetError):  # noqa: N818  # the RFC's name of the error
    """Recipients to whom nothing can be sent; the member `invalidRecipients` lists them (RFC 8621 §7.5)."""

    type = "invalidRecipients"


class CannotUnsend(SetError):  # noqa: N818  # the RFC's name of the error
    """The delivery has begun, or has ended (RFC 8621 §7.5)."""

    type = "cannotUnsend"


class MdnAlreadySent(SetError):  # noqa: N818  # the RFC's name of the error
    """The message has the keyword `$mdnsent` already (RFC 9007 §2.1)."""

    type = "mdnAlreadySent"
