"""Content-Transfer-Encoding, damaged and cut anywhere."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mail.message.transfer import PADDING, decode, decode_chunks


@pytest.mark.parametrize(
    ("encoded", "decoded"),
    [
        (b"aGVsbG8=", b"hello"),
        (b"aGVs\r\nbG8=\r\n", b"hello"),
        (b"aGVsbG8", b"hello"),
        (b"aGVsbG8=\r\n-- \r\nA footer of a list", b"hello"),
        (b"aG*Vs!bG8=", b"hello"),
        (b"=aGVs==bG8=", b"hello"),
        (b"aGVsb", b"hel"),
        (b"aG=VsbG8=", b"h"),
        (b"", b""),
        (b"====", b""),
    ],
)
def test_base64_is_decoded_as_far_as_it_goes(encoded: bytes, decoded: bytes) -> None:
    assert decode("base64", encoded) == decoded


@pytest.mark.parametrize(
    ("encoded", "decoded"),
    [
        (b"a=3Db=C3=BC", b"a=b\xc3\xbc"),
        (b"soft=\r\nbreak=\nagain= \t\r\n.", b"softbreakagain."),
        (b"trailing \t\r\nspace  \nand end  ", b"trailing\r\nspace\nand end"),
        (b"kept=20\r\n", b"kept \r\n"),
        (b"bad =ZZ and =4", b"bad =ZZ and =4"),
        (b"lower =c3=bc", b"lower \xc3\xbc"),
        (b"bare=\rCR", b"bareCR"),
        (b"end=", b"end"),
        (b"x" + b" " * (PADDING + 1) + b"\n", b"x" + b" " * (PADDING + 1) + b"\n"),
        (b"x" + b" " * PADDING + b"\n", b"x\n"),
    ],
)
def test_quoted_printable_is_decoded_as_far_as_it_goes(encoded: bytes, decoded: bytes) -> None:
    assert decode("quoted-printable", encoded) == decoded


@pytest.mark.parametrize("encoding", ["7bit", "8bit", "binary", "x-unknown"])
@pytest.mark.rfc("8621", "4.1.4")
def test_other_encodings_leave_the_octets_alone(encoding: str) -> None:
    assert decode(encoding, b"=41 \x00") == b"=41 \x00"
    assert list(decode_chunks(encoding, [b"=4", b"1"])) == [b"=4", b"1"]


def cut(data: bytes, places: list[int]) -> list[bytes]:
    marks = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in pairwise(marks)]


ENCODED = st.lists(
    st.sampled_from(
        [b"=", b"=\r", b"\r", b"\n", b" ", b"\t", b"=4", b"1", b"aGVs", b"\xff", b"x", b" " * 998]
    ),
    max_size=30,
).map(b"".join)


@given(ENCODED, st.lists(st.integers(min_value=0, max_value=10_000), max_size=8))
def test_quoted_printable_does_not_depend_on_where_it_is_cut(data: bytes, places: list[int]) -> None:
    whole = decode("quoted-printable", data)
    assert b"".join(decode_chunks("quoted-printable", cut(data, places))) == whole


@given(ENCODED, st.lists(st.integers(min_value=0, max_value=10_000), max_size=8))
def test_base64_does_not_depend_on_where_it_is_cut(data: bytes, places: list[int]) -> None:
    assert b"".join(decode_chunks("base64", cut(data, places))) == decode("base64", data)


def test_pieces_after_the_padding_of_base64_are_no_data() -> None:
    assert b"".join(decode_chunks("base64", [b"aGVsbG8=", b"bW9yZQ=="])) == b"hello"
