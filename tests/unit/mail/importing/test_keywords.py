"""Flags, status fields, labels and letters of other programs as keywords."""

import pytest

from mail.importing.keywords import dovecot_letters, field_marks, keyword_of, keywords_of, label_marks


@pytest.mark.parametrize(
    ("flag", "keyword"),
    [
        ("\\Seen", "$seen"),
        ("\\Answered", "$answered"),
        ("\\FLAGGED", "$flagged"),
        ("\\Draft", "$draft"),
        ("\\Recent", None),
        ("\\Deleted", None),
        ("\\Unheard", None),
        ("$Forwarded", "$forwarded"),
        ("Forwarded", "$forwarded"),
        ("$MDNSent", "$mdnsent"),
        ("MDNSent", "$mdnsent"),
        ("Junk", "$junk"),
        ("$Junk", "$junk"),
        ("NonJunk", "$notjunk"),
        ("NotJunk", "$notjunk"),
        ("$NotJunk", "$notjunk"),
        ("$NonJunk", "$notjunk"),
        ("$Phishing", "$phishing"),
        ("$label1", "$label1"),
        ("Work", "work"),
        ("two words", None),
        ("Gr\u00fcn", None),
        ("100%", None),
        ("", None),
    ],
)
@pytest.mark.rfc("8621", "4.1.1")
def test_flags_become_keywords(flag: str, keyword: str | None) -> None:
    assert keyword_of(flag) == keyword


def test_no_more_keywords_than_an_email_may_have() -> None:
    assert len(keywords_of(f"flag{number}" for number in range(1000))) == 100


@pytest.mark.parametrize(
    ("fields", "keywords"),
    [
        ("Status: RO", {"$seen"}),
        ("Status: O", set()),
        ("status: R\r\nX-STATUS: AFT", {"$seen", "$answered", "$flagged", "$draft"}),
        ("X-Mozilla-Status: 1007", {"$seen", "$answered", "$flagged", "$forwarded"}),
        ("X-Mozilla-Status: what", set()),
        ("X-Mozilla-Status2: 00800000", {"$mdnsent"}),
        ("X-Mozilla-Status2: 00000008", set()),
        ("X-Mozilla-Keys: $label1 NonJunk  ", {"$label1", "$notjunk"}),
        ("X-Mozilla-Keys:\r\n\tJunk", {"$junk"}),
        ("X-Keywords: $Forwarded \\Deleted (x)", {"$forwarded"}),
        ("Subject: x\r\n\r\nStatus: R", set()),
    ],
)
def test_keywords_of_fields(fields: str, keywords: set[str]) -> None:
    assert field_marks(f"{fields}\r\n\r\nText\r\n".encode()).keywords == keywords


@pytest.mark.parametrize(
    ("field", "deleted"),
    [("X-Status: D", True), ("X-Mozilla-Status: 0009", True), ("X-Keywords: \\Deleted", False)],
)
def test_what_the_user_deleted(field: str, deleted: bool) -> None:
    assert field_marks(f"{field}\r\n\r\nText\r\n".encode()).deleted is deleted


@pytest.mark.parametrize(
    ("labels", "folders", "keywords"),
    [
        ("Inbox,Opened", [()], {"$seen"}),
        ("Inbox,Unread", [()], set()),
        ("Posteingang,Ungelesen", [("Posteingang",)], set()),
        ("Sent", [("Sent",)], {"$seen"}),
        ("Drafts,Unread", [("Drafts",)], {"$draft"}),
        ("Starred,Important,Work", [("Work",)], {"$seen", "$flagged", "$important"}),
        ("Archived,Category Promotions,Unread", [("Archive",)], set()),
        ("Muted", [("Archive",)], {"$seen", "$muted"}),
        ('"Ann, Bob/Both",Trash', [("Ann, Bob", "Both"), ("Trash",)], {"$seen"}),
        ("", [("Archive",)], {"$seen"}),
    ],
)
def test_labels_are_mailboxes_and_marks(
    labels: str, folders: list[tuple[str, ...]], keywords: set[str]
) -> None:
    marks = label_marks(labels)
    assert (list(marks.folders), set(marks.keywords)) == (folders, keywords)


def test_labels_may_be_encoded_words() -> None:
    marks = field_marks(b"X-Gmail-Labels: =?UTF-8?Q?Entw=C3=BCrfe,B=C3=BCro?=\r\n\r\n")
    assert marks.folders == (("Entwürfe",), ("Büro",))
    assert marks.keywords == {"$seen", "$draft"}


def test_letters_of_a_maildir() -> None:
    content = b"0 NonJunk\n1 $label2\r\n25 Work\n26 Beyond\n3 100%\nrubbish\n"
    assert dovecot_letters(content) == {"a": "$notjunk", "b": "$label2", "z": "work"}
