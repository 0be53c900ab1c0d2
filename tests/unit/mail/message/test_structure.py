"""The stored form of the structure."""

import json

from mail.message.scan import scan
from mail.message.structure import compact_structure, load_part, load_parts

RAW = (
    b"Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/alternative; boundary=b\n\n"
    b"--b\n\nplain\n--b\nContent-Type: text/html; charset=utf-8\nContent-Language: en\n\n<p>\n--b--\n"
    b"--a\nContent-Type: multipart/mixed; boundary=c\n\n--a\n"
    b"Content-Type: image/png; name=a.png\nContent-ID: <c@d>\nContent-Transfer-Encoding: base64\n\nAAAA\n--a--\n"
)


def test_an_entry_holds_all_but_the_header_fields() -> None:
    raw = b"Content-Type: text/html; charset=utf-8\nContent-Disposition: inline\n\nhello"
    assert compact_structure(scan(raw)) == [
        ["text/html", "utf-8", "inline", None, None, None, None, "7bit", 5, 0, 67, 68, 73, None]
    ]


def test_loaded_parts_equal_scanned_ones_without_header_fields() -> None:
    scanned = scan(RAW)
    for part in scanned.all_parts():
        part.headers = []
    loaded = load_parts(json.loads(json.dumps(compact_structure(scanned))))
    assert loaded == scanned.all_parts()


def test_one_part_is_loaded_by_its_number() -> None:
    structure = compact_structure(scan(RAW))
    part = load_part(structure, 3)
    assert part is not None
    assert (part.part_id, part.number, part.type, part.charset) == ("2", 3, "text/html", "utf-8")


def test_multiparts_and_unknown_numbers_give_no_part() -> None:
    structure = compact_structure(scan(RAW))
    assert [load_part(structure, number) for number in (-1, 0, 1, 6)] == [None] * 4
