"""The fields by which an answer names what it answers (RFC 5322 §3.6.4)."""

from collections.abc import Sequence

from mail.message.compose_fields import Field, message_ids_value
from mail.message.compose_words import ComposeError

MOST_REFERENCES = 20
"""Message ids in References, the last ones: a long thread names hundreds."""


def reply_fields(message_id: Sequence[str], references: Sequence[str]) -> list[Field]:
    """In-Reply-To and References of an answer (RFC 5322 §3.6.4), without the ids that no field can hold."""
    fields: list[Field] = []
    own = _fitting(message_id[:1])
    if own:
        named = dict.fromkeys([*_fitting(references[-MOST_REFERENCES:]), *own])
        for name, ids in (("In-Reply-To", own), ("References", list(named))):
            made = message_ids_value(name, ids)
            if made is not None:
                fields.append((name, made))
    return fields


def _fitting(ids: Sequence[str]) -> list[str]:
    found = []
    for each in ids:
        try:
            message_ids_value("References", [each])
        except ComposeError:
            continue
        found.append(each)
    return found
