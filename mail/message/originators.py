"""Who wrote a message and to whom: what its submission looks at (RFC 8621 §7, envelope; RFC 5322 §3.6.2, §3.6.3)."""

from collections.abc import Callable
from dataclasses import dataclass, field

from mail.message.encoded_words import LONGEST_FIELD
from mail.message.headers import as_addresses
from mail.message.scan import Fields

_RECIPIENTS = ("to", "cc", "bcc")


@dataclass(slots=True)
class Originators:
    """The addresses in From and Sender, a list for each instance of the field, and those in To, Cc and Bcc, of all instances.

    `overlong` names the fields that are too long to be read to their end.
    """

    from_: list[list[str]] = field(default_factory=list)
    sender: list[list[str]] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    overlong: set[str] = field(default_factory=set)

    def authors(self) -> list[str]:
        """Every address in From and Sender."""
        return [address for addresses in (*self.from_, *self.sender) for address in addresses]

    def problems(self, is_address: Callable[[str], bool]) -> list[str]:
        """The Email properties that keep the message from being sent.

        One From field with an address, at most one Sender field with one (RFC 5322 §3.6), and a Sender where From has several:
        "If multiple addresses are present in one of these header fields, or there is more than one Sender/From header field, the
        server SHOULD reject the EmailSubmission as invalid" (RFC 8621 §7).
        """
        found = set(self.overlong)
        if len(self.from_) != 1 or not self.from_[0] or (len(self.from_[0]) > 1 and not self.sender):
            found.add("from")
        if len(self.sender) > 1 or any(len(addresses) != 1 for addresses in self.sender):
            found.add("sender")
        for name, instances in (("from", self.from_), ("sender", self.sender)):
            if not all(is_address(address) for addresses in instances for address in addresses):
                found.add(name)
        return sorted(found)


def originators(headers: Fields) -> Originators:
    """The addresses in the header fields of a message."""
    found = Originators()
    for written, value in headers:
        name = written.lower()
        if name not in ("from", "sender", *_RECIPIENTS):
            continue
        if len(value) > LONGEST_FIELD:
            found.overlong.add(name)
            continue
        addresses = [address["email"] or "" for address in as_addresses(value)]
        if name == "from":
            found.from_.append(addresses)
        elif name == "sender":
            found.sender.append(addresses)
        else:
            found.recipients += addresses
    return found
