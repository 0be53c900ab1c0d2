"""Names of mailboxes: roles, modified UTF-7, and cleaning."""

import pytest

from mail.importing.folders import clean_folder, clean_name, decode_modified_utf7, role_of


@pytest.mark.parametrize(
    ("folder", "role"),
    [
        ((), "inbox"),
        (("Sent Items",), "sent"),
        (("Sent Messages",), "sent"),
        (("Gesendet",), "sent"),
        (("DELETED ITEMS",), "trash"),
        (("Papierkorb",), "trash"),
        (("Drafts",), "drafts"),
        (("Entwu\u0308rfe",), "drafts"),
        (("Spam",), "junk"),
        (("Junk E-mail",), "junk"),
        (("Archives",), "archive"),
        (("受信トレイ",), "inbox"),
        (("[Gmail]", "Sent Mail"), "sent"),
        (("[Gmail]", "Starred"), "flagged"),
        (("[Gmail]", "Important"), "important"),
        (("[Google Mail]", "Wichtig"), "important"),
        (("[Gmail]", "Snoozed"), "snoozed"),
        (("[Gmail]", "Scheduled"), "scheduled"),
        (("Important",), None),
        (("Projects",), None),
        (("Projects", "Sent"), None),
    ],
)
def test_role_of_common_names(folder: tuple[str, ...], role: str | None) -> None:
    assert role_of(folder) == role


@pytest.mark.parametrize(
    ("encoded", "name"),
    [
        ("Entw&APw-rfe", "Entwürfe"),
        ("&ZeVnLIqe-", "日本語"),
        ("R&-D", "R&D"),
        ("&2D3eAA-", "\U0001f600"),
        ("R&D", "R&D"),
        ("A&B-C", "A&B-C"),
        ("lone &2D0- surrogate", "lone &2D0- surrogate"),
        ("R&D-x &APw-", "R&D-x ü"),
        ("Entwürfe", "Entwürfe"),
    ],
)
def test_modified_utf7_with_broken_input_left_as_written(encoded: str, name: str) -> None:
    assert decode_modified_utf7(encoded) == name


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("Gru\u0308n", "Grün"),
        ("a\tb\n", "a b"),
        ("  ", "Unnamed"),
        ("gr\udcfcn", "grün"),
        ("ü" * 200, "ü" * 127),
    ],
)
@pytest.mark.rfc("8621", "2")
def test_clean_name(name: str, clean: str) -> None:
    assert clean_name(name) == clean


def test_a_leading_inbox_is_dropped() -> None:
    assert clean_folder(("INBOX", "Sent")) == ("Sent",)


def test_the_inbox_alone_is_the_empty_path() -> None:
    assert clean_folder(("Inbox",)) == ()


def test_levels_beyond_the_tenth_are_joined() -> None:
    assert clean_folder(str(level) for level in range(12)) == (*"012345678", "9/10/11")
