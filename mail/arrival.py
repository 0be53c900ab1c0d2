"""The arrival of mail, as opposed to whatever else adds Emails to an account."""

from __future__ import annotations

from jmapcore.store.write import AccountWrite

EMAIL_DELIVERY = "EmailDelivery"


def mail_arrived(write: AccountWrite, email_id: int = 0) -> None:
    """Advance the state of EmailDelivery (RFC 8621 §1.5): called by deliveries, in the write that adds the Email.

    Its entry in the change log names the Email: that is how push finds what arrived, whatever was lost on the way (EmailPush).

    What a user imports, copies or composes advances the state of Email alone, since it is no news to the user's devices that "may
    wish to delay fetching changes initiated by the user but fetch new Emails immediately".
    """
    write.updated(EMAIL_DELIVERY, email_id)
