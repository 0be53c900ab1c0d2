"""The encryption of push messages, against the example of RFC 8291 and an opening written for the tests."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from push.subscriptions.message_encryption import (
    MOST_PLAINTEXT_OCTETS,
    encrypt,
    from_base64url,
    parse_keys,
    to_base64url,
)
from tests.support.push_receiver import ClientKeys

SENDER = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
RECEIVER = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
PLAINTEXT = b"When I grow up, I want to be a watermelon"
MESSAGE = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95b"
    "Qpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


@pytest.mark.rfc("8291", "5")
@pytest.mark.rfc("8291", "3.4")
def test_the_example_of_the_rfc() -> None:
    private = ec.derive_private_key(int.from_bytes(from_base64url(SENDER), "big"), ec.SECP256R1())
    made = encrypt(PLAINTEXT, parse_keys(RECEIVER, AUTH), sender=private, salt=from_base64url(SALT))
    assert to_base64url(made) == MESSAGE


@pytest.mark.rfc("8291", "4")
@pytest.mark.parametrize("size", [0, 1, 100, MOST_PLAINTEXT_OCTETS])
def test_it_opens_with_the_keys_of_the_receiver(size: int) -> None:
    keys = ClientKeys()
    made = encrypt(b"x" * size, parse_keys(**keys.wire))
    assert len(made) == size + 86 + 16 + 1
    assert keys.open(made) == b"x" * size


@pytest.mark.rfc("8291", "4")
def test_more_than_one_record_is_never_made() -> None:
    keys = ClientKeys()
    assert len(encrypt(b"x" * MOST_PLAINTEXT_OCTETS, parse_keys(**keys.wire))) == 4_096
    with pytest.raises(ValueError, match="do not fit"):
        encrypt(b"x" * (MOST_PLAINTEXT_OCTETS + 1), parse_keys(**keys.wire))


@pytest.mark.rfc("8291", "3.1")
def test_each_message_has_a_salt_and_a_key_of_its_own() -> None:
    keys = parse_keys(**ClientKeys().wire)
    first, second = encrypt(b"x", keys), encrypt(b"x", keys)
    assert first[:16] != second[:16]
    assert first[21:86] != second[21:86]


@pytest.mark.rfc("8291", "3.2")
@pytest.mark.parametrize(
    ("p256dh", "auth"),
    [
        ("", AUTH),
        (RECEIVER, ""),
        (RECEIVER[:-4], AUTH),
        (RECEIVER, AUTH + "AA"),
        ("BA" + "A" * 85, AUTH),
        (RECEIVER.replace("-", "+"), AUTH),
        (RECEIVER + "===", AUTH),
        (RECEIVER[:-1] + "ü", AUTH),
        ("A" + RECEIVER[1:], AUTH),
    ],
)
def test_what_cannot_be_keys_is_refused(p256dh: str, auth: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_keys(p256dh, auth)


def test_keys_may_be_padded() -> None:
    assert parse_keys(RECEIVER + "=", AUTH + "==") == parse_keys(RECEIVER, AUTH)
