"""The MIME structure of messages, well-formed and damaged."""

import pytest

from mail.message.scan import (
    DEEPEST,
    MOST_PARTS,
    Part,
    body_text,
    decoded_body,
    decoded_chunks,
    header_fields,
    scan,
)

Tree = tuple[str, str | None, list["Tree"]]


def tree(part: Part) -> Tree:
    """Type, partId and parts of a part."""
    return (part.type, part.part_id, [tree(sub_part) for sub_part in part.parts])


def message(text: str) -> bytes:
    """A message with CRLF line ends."""
    return text.replace("\n", "\r\n").encode()


ALTERNATIVE = message(
    """\
From: alice@north.example
Content-Type: multipart/mixed; boundary="outer"

This is for old software.
--outer
Content-Type: multipart/alternative; boundary=inner

--inner

plain
--inner
Content-Type: text/html; charset=utf-8

<p>html
--inner--
between
--outer
Content-Type: message/rfc822

Subject: attached
Content-Type: multipart/mixed; boundary=other

--other

text
--other--
--outer--
after
"""
)


def test_a_message_without_mime_is_one_text_part() -> None:
    root = scan(message("Subject: hello\n\nHow are you?\n")).root
    assert (root.part_id, root.number, root.type, root.charset) == ("1", 0, "text/plain", "us-ascii")
    assert (root.disposition, root.name, root.cid, root.language, root.location) == (None,) * 5
    assert (root.encoding, root.size, root.parts) == ("7bit", 14, [])


def test_offsets_lead_to_header_section_and_body() -> None:
    raw = message("Subject: hello\n\nHow are you?\n")
    root = scan(raw).root
    assert raw[root.header_start : root.header_end] == b"Subject: hello\r\n"
    assert raw[root.body_start : root.body_end] == b"How are you?\r\n"


def test_fields_keep_their_names_order_space_and_folding() -> None:
    raw = message("SUBJECT: one\n two\nX-Empty:\nx-tight:a\nOdd : b\nSubject: three\n\n")
    assert scan(raw).root.headers == [
        ("SUBJECT", b" one\r\n two"),
        ("X-Empty", b""),
        ("x-tight", b"a"),
        ("Odd", b" b"),
        ("Subject", b" three"),
    ]


@pytest.mark.rfc("8621", "4.1.4")
def test_nested_parts_are_numbered_in_document_order_and_attached_messages_are_leaves() -> None:
    scanned = scan(ALTERNATIVE)
    assert tree(scanned.root) == (
        "multipart/mixed",
        None,
        [
            ("multipart/alternative", None, [("text/plain", "1", []), ("text/html", "2", [])]),
            ("message/rfc822", "3", []),
        ],
    )
    assert [part.number for part in scanned.all_parts()] == [0, 1, 2, 3, 4]
    assert scanned.part(3).type == "text/html"


def test_part_raises_for_a_number_that_is_not_there() -> None:
    scanned = scan(ALTERNATIVE)
    with pytest.raises(IndexError):
        scanned.part(5)
    with pytest.raises(IndexError):
        scanned.part(-1)


def test_the_line_end_before_a_delimiter_is_not_part_of_the_body() -> None:
    bodies = [decoded_body(ALTERNATIVE, part) for part in scan(ALTERNATIVE).all_parts() if part.part_id]
    assert bodies[:2] == [b"plain", b"<p>html"]
    assert bodies[2].endswith(b"--other--")


@pytest.mark.parametrize("line_end", [b"\n", b"\r", b"\r\r\n"])
def test_other_line_ends_give_the_same_structure(line_end: bytes) -> None:
    raw = ALTERNATIVE.replace(b"\r\n", line_end)
    scanned = scan(raw)
    assert tree(scanned.root) == tree(scan(ALTERNATIVE).root)
    assert decoded_body(raw, scanned.part(3)).strip() == b"<p>html"


def test_folding_of_a_message_with_cr_line_ends_is_kept() -> None:
    assert scan(b"Subject: one\r two\r\rtext").root.headers == [("Subject", b" one\r two")]


def test_an_empty_message_has_no_fields_and_no_octets() -> None:
    root = scan(b"").root
    assert (root.headers, root.type, root.size, root.part_id) == ([], "text/plain", 0, "1")


def test_what_begins_with_no_field_is_all_body() -> None:
    raw = b"Just text, no header.\r\nSubject: too late\r\n"
    root = scan(raw).root
    assert root.headers == []
    assert decoded_body(raw, root) == raw


def test_a_line_that_is_no_field_ends_the_header_section() -> None:
    raw = message("Subject: a\nThe empty line is missing.\nTo: nobody\n")
    root = scan(raw).root
    assert root.headers == [("Subject", b" a")]
    assert decoded_body(raw, root) == b"The empty line is missing.\r\nTo: nobody\r\n"


def test_a_header_section_may_end_with_the_message() -> None:
    root = scan(b"Subject: a").root
    assert (root.headers, root.header_end, root.body_start, root.size) == ([("Subject", b" a")], 10, 10, 0)


@pytest.mark.parametrize("envelope", [b"From alice Mon Sep  2 12:00:00 2002\n", b">From alice\n"])
def test_an_mbox_line_before_or_between_fields_is_skipped(envelope: bytes) -> None:
    raw = envelope + b"Subject: a\n" + envelope + b"To: b\n\ntext"
    root = scan(raw).root
    assert [name for name, _ in root.headers] == ["Subject", "To"]
    assert root.header_start == len(envelope)


def test_many_mbox_lines_are_text() -> None:
    raw = b"From a\n" * 20
    assert scan(raw).root.size == 9 * len(b"From a\n")


def test_a_missing_final_boundary_ends_with_the_message() -> None:
    raw = message("Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\ntwo\n")
    assert [decoded_body(raw, part) for part in scan(raw).all_parts()[1:]] == [b"one", b"two\r\n"]


def test_a_boundary_of_the_outer_multipart_ends_the_inner_one() -> None:
    raw = message(
        "Content-Type: multipart/mixed; boundary=a\n\n--a\n"
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--a\n\ntwo\n--a--\n"
    )
    assert tree(scan(raw).root) == (
        "multipart/mixed",
        None,
        [("multipart/mixed", None, [("text/plain", "1", [])]), ("text/plain", "2", [])],
    )


def test_an_inner_multipart_with_the_boundary_of_the_outer_one_leaves_it_intact() -> None:
    raw = message(
        "Content-Type: multipart/mixed; boundary=a\n\n--a\n"
        "Content-Type: multipart/alternative; boundary=a\n\n--a\n\none\n--a--\n"
    )
    assert tree(scan(raw).root) == (
        "multipart/mixed",
        None,
        [("multipart/alternative", None, []), ("text/plain", "1", [])],
    )


@pytest.mark.parametrize("parameter", ["; boundary=never", "", '; boundary=""'])
def test_text_of_a_multipart_whose_boundary_never_comes_becomes_its_only_part(parameter: str) -> None:
    raw = message(f"Content-Type: multipart/mixed{parameter}\n\n--other\ntext\n")
    scanned = scan(raw)
    assert tree(scanned.root) == ("multipart/mixed", None, [("text/plain", "1", [])])
    assert decoded_body(raw, scanned.part(1)) == b"--other\r\ntext\r\n"


def test_delimiters_may_have_white_space_behind_them_and_nothing_else() -> None:
    raw = message("Content-Type: multipart/mixed; boundary=b\n\n--b \t\n\n--bc\n--b-\n--b-- \nrest\n--b\n")
    scanned = scan(raw)
    assert decoded_body(raw, scanned.part(1)) == b"--bc\r\n--b-"
    assert len(scanned.all_parts()) == 2


def test_a_delimiter_right_after_the_fields_of_a_part_ends_it() -> None:
    raw = message(
        "Content-Type: multipart/mixed; boundary=b:1\n\n--b:1\nContent-Type: text/html\n--b:1\n\nx\n--b:1--"
    )
    scanned = scan(raw)
    assert [(part.type, part.size) for part in scanned.all_parts()[1:]] == [
        ("text/html", 0),
        ("text/plain", 1),
    ]


def test_a_field_whose_name_begins_with_dashes_is_a_field() -> None:
    assert scan(b"--odd: value\n\n").root.headers == [("--odd", b" value")]


def test_a_delimiter_inside_a_folded_field_is_not_found_twice() -> None:
    raw = b"Content-Type: multipart/mixed; boundary=b\n\n--b\nX:\n --b\n\ntext\n--b--"
    assert [part.headers for part in scan(raw).root.parts] == [[("X", b"\n --b")]]


def test_a_delimiter_at_the_very_end_begins_an_empty_part() -> None:
    scanned = scan(b"Content-Type: multipart/mixed; boundary=b\n\n--b")
    assert tree(scanned.root) == ("multipart/mixed", None, [("text/plain", "1", [])])


def test_parts_of_a_digest_are_messages_by_default() -> None:
    raw = message("Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: x\n\ny\n--b--")
    part = scan(raw).part(1)
    assert (part.type, part.charset) == ("message/rfc822", "us-ascii")


@pytest.mark.rfc("8621", "4.1.4")
def test_properties_come_from_the_fields_of_the_part() -> None:
    root = scan(
        message(
            "Content-Type: (c) Image/PNG; name=plain.png\n"
            "Content-Transfer-Encoding: BASE64\n"
            'Content-Disposition: Inline (c); filename="=?utf-8?q?f=C3=BC?=.png"\n'
            "Content-ID: (comment) <image 1@example> \n"
            "Content-Language: en, de-CH (swiss)\n"
            "Content-Location: http://example.com/\n very/long\n"
            "Content-Other: x\n\naGVs\nbG8=\n"
        )
    ).root
    assert (root.type, root.charset, root.encoding, root.size) == ("image/png", None, "base64", 5)
    assert (root.disposition, root.name, root.cid) == ("inline", "fü.png", "image1@example")
    assert (root.language, root.location) == (["en", "de-CH"], "http://example.com/very/long")


def test_a_name_falls_back_to_that_of_the_content_type() -> None:
    assert scan(b"Content-Type: image/png; name=a.png\n\n").root.name == "a.png"
    assert (
        scan(b"Content-Disposition: attachment\nContent-Type: image/png; name=a.png\n\n").root.name == "a.png"
    )


@pytest.mark.parametrize(
    ("field", "charset"),
    [
        ("Content-Type: text/html", "us-ascii"),
        ("Content-Type: text/html; charset=ISO-8859-1", "ISO-8859-1"),
        ("Content-Type: application/xml; charset=utf-8", "utf-8"),
        ("Content-Type: application/xml", None),
        ("Subject: none", "us-ascii"),
    ],
)
@pytest.mark.rfc("8621", "4.1.4")
def test_charset_is_explicit_or_implicit(field: str, charset: str | None) -> None:
    assert scan(message(field + "\n\n")).root.charset == charset


def test_empty_fields_give_no_values() -> None:
    root = scan(
        b"Content-Disposition: ;\nContent-ID: <>\nContent-Language: \nContent-Location: \n"
        b"Content-Transfer-Encoding: \nContent-Type: \n\n"
    ).root
    assert (root.disposition, root.cid, root.language, root.location) == (None,) * 4
    assert (root.encoding, root.type) == ("7bit", "text/plain")


def test_a_content_id_without_brackets_is_taken_as_it_is() -> None:
    assert scan(b"Content-ID: a@b (c)\n\n").root.cid == "a@b"
    assert scan(b"Content-ID: a@b\n\n").root.cid == "a@b"


def test_the_first_of_equal_mime_fields_counts() -> None:
    assert scan(b"Content-Type: text/html\nContent-Type: text/plain\n\n").root.type == "text/html"


@pytest.mark.parametrize(
    ("written", "encoding"),
    [
        (" 8-BIT", "8bit"),
        (" quotedprintable", "quoted-printable"),
        (' "base64"', "base64"),
        (" x-own", "x-own"),
    ],
)
def test_encodings_are_normalised(written: str, encoding: str) -> None:
    assert scan(message(f"Content-Transfer-Encoding:{written}\n\n")).root.encoding == encoding


def test_size_of_a_large_encoded_part_is_that_of_its_content() -> None:
    raw = b"Content-Transfer-Encoding: base64\n\n" + b"QUJD\n" * 100_000
    assert scan(raw).root.size == 300_000


def test_content_in_pieces_equals_content_as_a_whole() -> None:
    raw = b"Content-Transfer-Encoding: quoted-printable\n\na=C3=\n=BC b \nc"
    root = scan(raw).root
    body = raw[root.body_start : root.body_end]
    assert (
        b"".join(decoded_chunks(root, (body[at : at + 3] for at in range(0, len(body), 3))))
        == "aü b\nc".encode()
    )


@pytest.mark.rfc("8621", "4.1.4")
def test_body_text_has_lf_and_reports_encoding_problems() -> None:
    raw = message("Content-Type: text/plain; charset=utf-8\n\na\nb\n")
    assert body_text(raw, scan(raw).root) == ("a\nb\n", False)
    raw = b"Content-Type: text/plain; charset=utf-8\n\n\xff"
    assert body_text(raw, scan(raw).root) == ("�", True)
    raw = b"Content-Transfer-Encoding: x-unknown\n\nas it is"
    assert body_text(raw, scan(raw).root) == ("as it is", True)


def test_header_fields_are_found_again_by_their_offsets() -> None:
    part = scan(ALTERNATIVE).part(3)
    assert header_fields(ALTERNATIVE, part.header_start, part.header_end) == part.headers


def nested(depth: int) -> bytes:
    opening = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(depth))
    return message(opening + "\ntext\n")


def test_multiparts_below_the_deepest_level_are_opaque() -> None:
    scanned = scan(nested(1000))
    assert len(scanned.all_parts()) == DEEPEST + 1
    deepest = scanned.all_parts()[-1]
    assert (deepest.type, deepest.part_id) == ("application/octet-stream", "1")


def test_parts_beyond_the_limit_belong_to_the_last_one() -> None:
    raw = b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * (MOST_PARTS + 10)
    scanned = scan(raw)
    assert len(scanned.all_parts()) == MOST_PARTS
    assert scanned.all_parts()[-1].body_end == len(raw)


def test_no_part_is_made_up_beyond_the_limit() -> None:
    raw = (
        b"Content-Type: multipart/mixed; boundary=b\n\n"
        + b"--b\n\nx\n" * (MOST_PARTS - 2)
        + b"--b\nContent-Type: multipart/mixed\n\ntext\n--b\n"
    )
    scanned = scan(raw)
    assert len(scanned.all_parts()) == MOST_PARTS
    assert scanned.all_parts()[-1].parts == []


def test_fields_beyond_the_limit_are_left_out_and_the_body_is_still_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mail.message.scan.MOST_FIELDS", 2)
    raw = b"A: 1\nB: 2\nC: 3\nD: 4\n\ntext"
    root = scan(raw).root
    assert [name for name, _ in root.headers] == ["A", "B"]
    assert decoded_body(raw, root) == b"text"


def test_the_fields_of_all_parts_together_are_limited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mail.message.scan.MOST_FIELDS_IN_ALL", 2)
    raw = b"Content-Type: multipart/mixed; boundary=b\n\n--b\nA: 1\nB: 2\n--b\nC: 3\n\nlast\n--b\nD: 4"
    scanned = scan(raw)
    assert [len(part.headers) for part in scanned.all_parts()] == [1, 1, 0]
    assert decoded_body(raw, scanned.part(1)) == b"last"
    assert scanned.part(2).size == 0


def test_lines_with_dashes_are_looked_at_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mail.message.scan.MOST_CANDIDATES", 3)
    raw = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\n" + b"--\n" * 5 + b"--b\n\nlost\n--b--"
    assert len(scan(raw).all_parts()) == 2


@pytest.mark.parametrize(
    "raw",
    [
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nSubject: a\r\rb: c",
        b"Content-Type: multipart/mixed; boundary=b\r\r--b\rSubject: a\rb: c",
        b"From me\nSubject: a\rb: c",
        b"Subject: a\rb: c",
    ],
)
def test_the_fields_of_a_part_are_read_again_as_in_the_whole(raw: bytes) -> None:
    for part in scan(raw).all_parts():
        assert header_fields(raw, part.header_start, part.header_end) == part.headers
