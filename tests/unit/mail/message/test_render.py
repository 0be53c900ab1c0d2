"""EmailBodyPart and EmailBodyValue objects."""

import pytest

from mail.message.render import (
    DEFAULT,
    body_values,
    parse_body_properties,
    render_headers,
    render_part,
    render_parts,
    render_structure,
)
from mail.message.scan import scan
from mail.message.structure import compact_structure, load_parts

RAW = (
    b"Subject: x\nContent-Type: multipart/mixed; boundary=a\n\n"
    b"--a\n\nplain\n--a\nContent-Type: text/html; charset=utf-8\nX-One: 1\n\n<p>html\n--a\n"
    b"Content-Type: image/png; name=a.png\nContent-ID: <c@d>\n\nx\n--a--\n"
)


@pytest.mark.rfc("8621", "4.2")
def test_default_properties_of_a_part() -> None:
    assert render_part(scan(RAW).part(3), "b17", DEFAULT) == {
        "partId": "3",
        "blobId": "b17-3",
        "size": 1,
        "name": "a.png",
        "type": "image/png",
        "charset": None,
        "disposition": None,
        "cid": "c@d",
        "language": None,
        "location": None,
    }


@pytest.mark.rfc("8621", "4.1.4")
def test_part_id_and_blob_id_are_null_for_multiparts_alone() -> None:
    properties = parse_body_properties(["partId", "blobId"])
    assert render_structure(scan(RAW).root, "b17", properties) == {
        "partId": None,
        "blobId": None,
        "subParts": [{"partId": str(number), "blobId": f"b17-{number}"} for number in (1, 2, 3)],
    }


@pytest.mark.rfc("8621", "4.1.4")
def test_sub_parts_are_null_for_what_is_no_multipart() -> None:
    properties = parse_body_properties(["subParts", "type"])
    message = scan(RAW)
    assert render_parts([message.part(1)], "b17", properties) == [{"subParts": None, "type": "text/plain"}]
    assert render_part(message.root, "b17", properties)["subParts"][1] == {
        "subParts": None,
        "type": "text/html",
    }
    assert render_part(message.root, "b17", parse_body_properties(["type"])) == {"type": "multipart/mixed"}


@pytest.mark.rfc("8621", "4.1.4")
def test_header_fields_of_a_part_in_any_form() -> None:
    properties = parse_body_properties(["headers", "header:x-one:asText", "header:X-Two:all"])
    expected = {
        "headers": [
            {"name": "Content-Type", "value": " text/html; charset=utf-8"},
            {"name": "X-One", "value": " 1"},
        ],
        "header:x-one:asText": "1",
        "header:X-Two:all": [],
    }
    message = scan(RAW)
    assert properties.need_raw
    assert render_part(message.part(2), "b17", properties) == expected
    assert render_part(load_parts(compact_structure(message))[2], "b17", properties, RAW) == expected
    assert render_part(load_parts(compact_structure(message))[1], "b17", properties, RAW)["headers"] == []


def test_raw_octets_are_needed_for_header_fields_alone() -> None:
    assert not DEFAULT.need_raw
    assert parse_body_properties(["headers"]).need_raw


@pytest.mark.rfc("8621", "4.2")
@pytest.mark.parametrize("name", ["bogus", "header:From:asDate", "subject"])
def test_unknown_properties_and_forbidden_forms_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"header field|cannot be fetched"):
        parse_body_properties(["type", name])


@pytest.mark.rfc("8621", "4.1.3")
def test_headers_are_in_raw_form() -> None:
    assert render_headers([("Subject", b" a\r\n b")]) == [{"name": "Subject", "value": " a\r\n b"}]


@pytest.mark.rfc("8621", "4.1.4")
def test_body_values_are_those_of_text_parts() -> None:
    message = scan(RAW)
    assert body_values(RAW, [*message.all_parts(), message.part(1)], 4) == {
        "1": {"value": "plai", "isEncodingProblem": False, "isTruncated": True},
        "2": {"value": "<p>h", "isEncodingProblem": False, "isTruncated": True},
    }


def test_body_values_without_detection() -> None:
    raw = b"\ncaf\xe9"
    assert body_values(raw, [scan(raw).root], detect=False)["1"]["value"] == "caf�"
