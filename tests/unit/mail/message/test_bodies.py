"""Body lists, attachments, previews and truncation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mail.message.bodies import body_lists, has_attachment, preview, truncate_text
from mail.message.scan import Part, scan


def part(type_: str, label: str = "", disposition: str | None = None, name: str | None = None) -> Part:
    """A part without octets; its cid is the label that tests look for."""
    return Part(
        "x", 0, 0, 0, 0, 0, [], type_, None, disposition, name, label or type_, None, None, "7bit", [], 0
    )


def multipart(subtype: str, *parts: Part) -> Part:
    """A multipart of these parts."""
    whole = part(f"multipart/{subtype}")
    whole.part_id, whole.parts = None, list(parts)
    return whole


def labels(root: Part) -> list[list[str | None]]:
    """Labels of textBody, htmlBody and attachments."""
    return [[member.cid for member in members] for members in body_lists(root)]


@pytest.mark.rfc("8621", "4.1.4")
def test_the_example_of_the_rfc() -> None:
    root = multipart(
        "mixed",
        part("text/plain", "A", "inline"),
        multipart(
            "mixed",
            multipart(
                "alternative",
                multipart(
                    "mixed",
                    part("text/plain", "B", "inline"),
                    part("image/jpeg", "C", "inline"),
                    part("text/plain", "D", "inline"),
                ),
                multipart("related", part("text/html", "E"), part("image/jpeg", "F")),
            ),
            part("image/jpeg", "G", "attachment"),
            part("application/x-excel", "H"),
            part("message/rfc822", "J"),
        ),
        part("text/plain", "K", "inline"),
    )
    assert labels(root) == [["A", "B", "C", "D", "K"], ["A", "E", "K"], ["C", "F", "G", "H", "J"]]


PLAIN, HTML, IMAGE, PDF = "text/plain", "text/html", "image/png", "application/pdf"


@pytest.mark.parametrize(
    ("root", "expected"),
    [
        (part(PLAIN), [[PLAIN], [PLAIN], []]),
        (part(HTML), [[HTML], [HTML], []]),
        (part(IMAGE), [[IMAGE], [IMAGE], []]),
        (part(PDF), [[], [], [PDF]]),
        (part(PLAIN, disposition="attachment"), [[], [], [PLAIN]]),
        (multipart("alternative", part(PLAIN), part(HTML)), [[PLAIN], [HTML], []]),
        (multipart("alternative", part(PLAIN)), [[PLAIN], [PLAIN], []]),
        (multipart("alternative", part(HTML)), [[HTML], [HTML], []]),
        (multipart("alternative", part(HTML), part("text/calendar")), [[HTML], [HTML], ["text/calendar"]]),
        (multipart("alternative", part(PLAIN), part(IMAGE)), [[PLAIN], [PLAIN], [IMAGE]]),
        (multipart("alternative"), [[], [], []]),
        (
            multipart("alternative", multipart("mixed", part(PLAIN), part(HTML), part(PDF))),
            [[PLAIN], [PLAIN], [HTML, PDF]],
        ),
        (multipart("mixed", part(PLAIN), part(PLAIN, "b", name="b.txt")), [[PLAIN], [PLAIN], ["b"]]),
        (multipart("mixed", part(PLAIN), part(IMAGE, name="b.png")), [[PLAIN, IMAGE], [PLAIN, IMAGE], []]),
        (multipart("related", part(HTML), part(IMAGE)), [[HTML], [HTML], [IMAGE]]),
        (
            multipart("alternative", multipart("mixed", part(HTML), part(IMAGE), part(PLAIN))),
            [[HTML, IMAGE], [HTML, IMAGE], [PLAIN]],
        ),
        (
            multipart(
                "alternative",
                multipart("mixed", part(HTML, "a"), multipart("alternative", part(PLAIN), part(HTML))),
            ),
            [["a", HTML], ["a", HTML], [PLAIN]],
        ),
        (
            multipart(
                "alternative",
                multipart("mixed", part(PLAIN, "a"), multipart("alternative", part(PLAIN), part(HTML))),
            ),
            [["a", PLAIN], ["a", PLAIN], [HTML]],
        ),
    ],
)
@pytest.mark.rfc("8621", "4.1.4")
def test_body_lists(root: Part, expected: list[list[str]]) -> None:
    assert labels(root) == expected


def by_the_rfc(
    parts: list[Part], multipart_type: str, in_alternative: bool, lists: list[list[Part] | None]
) -> None:
    """The algorithm of RFC 8621 §4.1.4 line by line; `lists` are htmlBody, textBody and attachments."""
    html, text, attachments = lists
    assert attachments is not None
    text_length = len(text) if text is not None else -1
    html_length = len(html) if html is not None else -1
    for i, each in enumerate(parts):
        is_media = each.type.startswith(("image/", "audio/", "video/"))
        is_inline = (
            each.disposition != "attachment"
            and (each.type in ("text/plain", "text/html") or is_media)
            and (i == 0 or (multipart_type != "related" and (is_media or not each.name)))
        )
        if each.is_multipart:
            kind = each.type.split("/")[1]
            by_the_rfc(each.parts, kind, in_alternative or kind == "alternative", [html, text, attachments])
        elif is_inline:
            if multipart_type == "alternative":
                # The RFC does not say what becomes of a part whose list is null: it is shown as an attachment.
                chosen = {"text/plain": text, "text/html": html}.get(each.type, attachments)
                (attachments if chosen is None else chosen).append(each)
                continue
            if in_alternative:
                html = None if each.type == "text/plain" else html
                text = None if each.type == "text/html" else text
            if text is not None:
                text.append(each)
            if html is not None:
                html.append(each)
            if (text is None or html is None) and is_media:
                attachments.append(each)
            elif (
                text is None and html is None
            ):  # lost by the algorithm, against the definition of attachments
                attachments.append(each)
        else:
            attachments.append(each)
    if multipart_type == "alternative" and text is not None and html is not None:
        if text_length == len(text) and html_length != len(html):
            text += html[html_length:]
        if html_length == len(html) and text_length != len(text):
            html += text[text_length:]


LEAVES = st.builds(
    part,
    st.sampled_from([PLAIN, HTML, IMAGE, PDF, "text/calendar", "message/rfc822", "audio/ogg"]),
    st.uuids().map(str),
    st.sampled_from([None, "inline", "attachment"]),
    st.sampled_from([None, "name.txt"]),
)
TREES = st.recursive(
    LEAVES,
    lambda parts: st.builds(
        lambda kind, members: multipart(kind, *members),
        st.sampled_from(["mixed", "alternative", "related", "digest", "signed"]),
        st.lists(parts, max_size=4),
    ),
    max_leaves=12,
)


@pytest.mark.rfc("8621", "4.1.4")
@given(TREES)
def test_any_structure_is_decomposed_as_the_rfc_does(root: Part) -> None:
    html: list[Part] = []
    text: list[Part] = []
    attachments: list[Part] = []
    by_the_rfc([root], "mixed", False, [html, text, attachments])
    # Media of one body become part of the other one too at the end of an alternative without its kind.
    attachments = [member for member in attachments if member not in text or member not in html]
    expected = [[member.cid for member in members] for members in (text, html, attachments)]
    assert labels(root) == expected


@pytest.mark.rfc("8621", "4.1.4")
@given(TREES)
def test_every_part_is_shown_somewhere(root: Part) -> None:
    """ "All parts [...] not included in textBody or htmlBody" and all media that are not in both are attachments."""
    text, html, attachments = labels(root)

    def leaves(member: Part) -> list[Part]:
        return [leaf for inner in member.parts for leaf in leaves(inner)] if member.is_multipart else [member]

    for leaf in leaves(root):
        is_media = leaf.type.startswith(("image/", "audio/"))
        in_bodies = (leaf.cid in text) + (leaf.cid in html)
        assert (leaf.cid in attachments) == (in_bodies == 0 or (is_media and in_bodies == 1))


def image(disposition: str | None, cid: str | None) -> Part:
    whole = part(IMAGE, disposition=disposition)
    whole.cid = cid
    return whole


@pytest.mark.parametrize(
    ("attachments", "expected"),
    [
        ([], False),
        ([part(PDF)], True),
        ([part(PDF, disposition="inline")], False),
        ([image(None, "a@b")], False),
        ([image(None, None)], True),
        ([image("attachment", "a@b")], True),
        ([image("inline", "a@b"), part(PDF)], True),
    ],
)
@pytest.mark.rfc("8621", "4.1.4")
def test_inline_images_are_no_attachments(attachments: list[Part], expected: bool) -> None:
    assert has_attachment(attachments) is expected


def preview_of_body(body: str, field: str = "") -> str:
    raw = f"{field or 'Content-Type: text/plain; charset=utf-8'}\n\n{body}".encode()
    return preview(raw, scan(raw))


HTML_FIELD = "Content-Type: text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("Hello,\r\n\r\nhow  are\tyou?\r\n", "Hello, how are you?"),
        ("On Monday Bob wrote:\n> What?\n> When?\n\nAt noon.", "At noon."),
        ("At noon.\n\nOn Monday Bob wrote:\n\n> What?", "At noon."),
        ("> All is quoted.", "> All is quoted."),
        ("| Quoted too.\nNew.", "New."),
        ("Title\n=====\n\n- - - - -\nText -- a", "Title Text -- a"),
        ("a\x00\x07b", "ab"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("", ""),
    ],
)
@pytest.mark.rfc("8621", "4.1.4")
def test_preview_of_text(body: str, line: str) -> None:
    assert preview_of_body(body) == line


@pytest.mark.rfc("8621", "4.1.4")
def test_preview_of_html() -> None:
    markup = "<html><head><title>T</title><style>p {}</style></head><body><p>Hello,<br>d&eacute;j&agrave; <b>v</b>u</p>"
    assert preview_of_body(markup, HTML_FIELD) == "Hello, déjà vu"


def test_preview_of_html_looks_behind_long_styles() -> None:
    assert preview_of_body(f"<style>{'p {} ' * 2000}</style><p>Hello", HTML_FIELD) == "Hello"


@pytest.mark.rfc("8621", "4.1.4")
def test_a_preview_has_at_most_256_characters() -> None:
    assert preview_of_body("word " * 100) == ("word " * 100)[:256].strip()
    assert preview_of_body("😀" * 300) == "😀" * 128


def test_a_character_that_the_bound_cuts_in_two_is_left_out() -> None:
    assert preview_of_body(" " * 65_534 + "x" + "é" * 10) == "x"


def test_a_preview_goes_on_in_the_next_part_and_skips_media() -> None:
    raw = (
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nfirst\n--b\nContent-Type: image/png\n\nx\n"
        b"--b\n\n \n--b\n\nlast\n--b--"
    )
    assert preview(raw, scan(raw)) == "first last"


def test_a_preview_stops_when_it_is_full() -> None:
    raw = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\n" + b"word " * 60 + b"\n--b\n\nlast\n--b--"
    assert preview(raw, scan(raw)) == ("word " * 60)[:256]


def test_the_charset_of_a_preview_is_detected_unless_that_is_switched_off() -> None:
    raw = "\n\ncafé".encode("latin_1")
    assert preview(raw, scan(raw)) == "café"
    assert preview(raw, scan(raw), detect=False) == "caf�"


@pytest.mark.parametrize(
    ("text", "most", "is_html", "expected"),
    [
        ("abc", 0, False, ("abc", False)),
        ("abc", 3, False, ("abc", False)),
        ("abcd", 3, False, ("abc", True)),
        ("aé", 2, False, ("a", True)),
        ("é😀x", 5, False, ("é", True)),
        ("é😀x", 6, False, ("é😀", True)),
        ("a<b>c", 3, False, ("a<b", True)),
        ("a<b>c", 3, True, ("a", True)),
        ("a<b>cd", 5, True, ("a<b>c", True)),
        ('a<b title=">">c', 13, True, ("a", True)),
        ("1 < 2", 4, True, ("1 < ", True)),
    ],
)
@pytest.mark.rfc("8621", "4.2")
def test_truncation(text: str, most: int, is_html: bool, expected: tuple[str, bool]) -> None:
    assert truncate_text(text, most, is_html) == expected


@given(st.text(alphabet="a<>='\"é😀 /", max_size=60), st.integers(min_value=1, max_value=80), st.booleans())
def test_truncated_text_is_a_beginning_of_the_text_and_fits(text: str, most: int, is_html: bool) -> None:
    value, truncated = truncate_text(text, most, is_html)
    assert len(value.encode()) <= most
    assert text.startswith(value)
    assert truncated == (len(text.encode()) > most)
