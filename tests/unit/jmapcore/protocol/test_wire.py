"""The data types of the wire: what fits each of them, and its normal form."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmapcore.protocol.wire import (
    MAX_INT,
    MAX_OBJECT_ID,
    Anything,
    Boolean,
    Date,
    Id,
    Int,
    IsTrue,
    ListOf,
    MapOf,
    Nullable,
    Number,
    ObjectOf,
    SetOf,
    String,
    UnsignedInt,
    UTCDate,
    WireError,
    WireType,
    format_utc,
    is_id,
    object_id,
    object_number,
    parse_date,
)

POINT = ObjectOf({"x": Int(), "y": Nullable(Int()), "at": Id(to="Place")}, ["x"])


@pytest.mark.rfc("8620", "1.2")
@pytest.mark.rfc("8620", "1.3")
@pytest.mark.rfc("8620", "1.4")
@pytest.mark.parametrize(
    ("wire", "value", "normal"),
    [
        (Anything(), {"a": [None]}, {"a": [None]}),
        (Boolean(), True, True),
        (Boolean(), False, False),
        (Int(), -MAX_INT, -MAX_INT),
        (Int(), MAX_INT, MAX_INT),
        (Int(), 3.0, 3),
        (Int(), -0.0, 0),
        (Int(1, 3), 3, 3),
        (UnsignedInt(), 0, 0),
        (Number(), 1, 1),
        (Number(), 1.5, 1.5),
        (String(), "", ""),
        (String(3), "äb", "äb"),
        (String(min_octets=2), "ä", "ä"),
        (String(choices=frozenset({"a", "b"})), "b", "b"),
        (String(nul=True), "\0", "\0"),
        (Id(), "aZ09-_", "aZ09-_"),
        (Id(), "x" * 255, "x" * 255),
        (Id(to="Foo"), "#new", "#new"),
        (Date(), "2014-10-30T14:12:00+08:00", "2014-10-30T14:12:00+08:00"),
        (UTCDate(), "2014-10-30T06:12:00Z", "2014-10-30T06:12:00Z"),
        (UTCDate(), "2014-10-30T06:12:00.123456789Z", "2014-10-30T06:12:00Z"),
        (UTCDate(), "2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
        (UTCDate(), "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        (UTCDate(), "9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
        (Nullable(Int()), None, None),
        (Nullable(Int()), 4, 4),
        (ListOf(Int()), [1, 2.0], [1, 2]),
        (ListOf(Int(), 2), [1, 2], [1, 2]),
        (ListOf(Id()), [], []),
        (ListOf(Id()), ["a"], ["a"]),
        (ListOf(Id()), ["a", "B-_9", "x" * 255], ["a", "B-_9", "x" * 255]),
        (ListOf(Id(to="Foo")), ["a", "#b"], ["a", "#b"]),
        (MapOf(Id(), Int()), {"a": 1.0}, {"a": 1}),
        (MapOf(String(), Int(), 1), {"": 1}, {"": 1}),
        (SetOf(String()), {"a": True}, {"a": True}),
        (IsTrue(), True, True),
        (POINT, {"x": 1.0}, {"x": 1}),
        (POINT, {"x": 1, "y": None, "at": "#p"}, {"x": 1, "y": None, "at": "#p"}),
    ],
)  # fmt: skip
def test_a_value_that_fits_is_put_into_its_normal_form(wire: WireType, value: Any, normal: Any) -> None:
    checked = wire.check(value)
    assert (checked, type(checked)) == (normal, type(normal))


@pytest.mark.rfc("8620", "1.2")
@pytest.mark.rfc("8620", "1.3")
@pytest.mark.rfc("8620", "1.4")
@pytest.mark.parametrize(
    ("wire", "value"),
    [
        (Boolean(), 1),
        (Boolean(), "true"),
        (Boolean(), None),
        (Int(), True),
        (Int(), "1"),
        (Int(), 1.5),
        (Int(), MAX_INT + 1),
        (Int(), -MAX_INT - 1),
        (Int(), 1e300),
        (Int(), None),
        (Int(1, 3), 0),
        (UnsignedInt(), -1),
        (Number(), True),
        (Number(), "1"),
        (String(), 1),
        (String(), None),
        (String(), "a\0b"),
        (String(3), "ääb"),
        (String(min_octets=1), ""),
        (String(choices=frozenset({"a"})), "A"),
        (Id(), ""),
        (Id(), "x" * 256),
        (Id(), "a b"),
        (Id(), "a="),
        (Id(), "é"),
        (Id(), "a\n"),
        (Id(), "#new"),
        (Id(), 1),
        (Id(to="Foo"), "#"),
        (Id(to="Foo"), "##a"),
        (Id(to="Foo"), 7),
        (Date(), "2014-10-30"),
        (Date(), "2014-10-30t14:12:00z"),
        (Date(), "2014-10-30T14:12:00"),
        (Date(), "2014-02-30T14:12:00Z"),
        (Date(), "2014-10-30T24:00:00Z"),
        (Date(), "2014-10-30T14:12:61Z"),
        (Date(), "2014-10-30T14:12:00+24:00"),
        (Date(), "2014-10-30T14:12:00.Z"),
        (Date(), "٢٠١٤-10-30T14:12:00Z"),
        (Date(), "2014-10-30T14:12:00.٣Z"),
        (Date(), "0000-01-01T00:00:00Z"),
        (Date(), "0001-01-01T00:00:00+01:00"),
        (Date(), "9999-12-31T23:59:59-01:00"),
        (Date(), "2014-10-30T14:12:00Z\n"),
        (Date(), 1),
        (UTCDate(), "2014-10-30T14:12:00+00:00"),
        (UTCDate(), None),
        (Nullable(Int()), "x"),
        (ListOf(Int()), {}),
        (ListOf(Int()), ["x"]),
        (ListOf(Int(), 1), [1, 2]),
        (ListOf(Id()), [1]),
        (ListOf(Id()), ["a", None]),
        (ListOf(Id()), [["a"]]),
        (ListOf(Id()), ["a b"]),
        (ListOf(Id()), ["a b", "c"]),
        (ListOf(Id()), ["a", ""]),
        (ListOf(Id()), ["", "a"]),
        (ListOf(Id()), ["", ""]),
        (ListOf(Id()), [" "]),
        (ListOf(Id()), ["a", " b"]),
        (ListOf(Id()), ["a", "b\n"]),
        (ListOf(Id()), ["a", "#b"]),
        (ListOf(Id()), ["a", "x" * 256]),
        (ListOf(Id(to="Foo")), ["a", "#b", "c d"]),
        (MapOf(Id(), Int()), []),
        (MapOf(Id(), Int()), {"a b": 1}),
        (MapOf(Id(), Int()), {"a": "b"}),
        (MapOf(Id(), Int(), 1), {}),
        (IsTrue(), 1),
        (IsTrue(), False),
        (SetOf(String()), {"a": False}),
        (POINT, []),
        (POINT, {}),
        (POINT, {"x": 1, "z": 2}),
        (POINT, {"x": "1"}),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_refused(wire: WireType, value: Any) -> None:
    with pytest.raises(WireError):
        wire.check(value)


@pytest.mark.parametrize(
    ("wire", "value", "found"),
    [
        (String(), "x", []),
        (Id(), "x", []),
        (Id(to="Foo"), "f1", [("Foo", "f1")]),
        (Nullable(Id(to="Foo")), None, []),
        (Nullable(Id(to="Foo")), "f1", [("Foo", "f1")]),
        (ListOf(Id(to="Foo")), ["f1", "f2"], [("Foo", "f1"), ("Foo", "f2")]),
        (MapOf(Id(to="Foo"), Id(to="Bar")), {"f1": "b1"}, [("Foo", "f1"), ("Bar", "b1")]),
        (POINT, {"x": 1, "at": "p1"}, [("Place", "p1")]),
    ],
)
def test_the_references_in_a_value(wire: WireType, value: Any, found: list[tuple[str, str]]) -> None:
    assert list(wire.references(value)) == found


@pytest.mark.rfc("8620", "5.3")
@pytest.mark.parametrize(
    ("wire", "value", "replaced"),
    [
        (String(), "#a", "#a"),
        (Id(), "#a", "#a"),
        (Id(to="Foo"), "#a", "f1"),
        (Id(to="Foo"), "#b", "#b"),
        (Id(to="Foo"), "a", "a"),
        (Id(to="Foo"), 7, 7),
        (Nullable(Id(to="Foo")), None, None),
        (Nullable(Id(to="Foo")), "#a", "f1"),
        (ListOf(Id(to="Foo")), ["#a", "#b", 1], ["f1", "#b", 1]),
        (ListOf(Id(to="Foo")), "#a", "#a"),
        (SetOf(Id(to="Foo")), {"#a": True}, {"f1": True}),
        (SetOf(Id(to="Foo")), None, None),
        (POINT, {"at": "#a", "x": 1, "more": "#a"}, {"at": "f1", "x": 1, "more": "#a"}),
        (POINT, "#a", "#a"),
    ],
)
def test_creation_ids_are_replaced_where_an_id_may_stand(wire: WireType, value: Any, replaced: Any) -> None:
    assert wire.replace(value, {"a": "f1"}) == replaced


def test_ids_of_objects() -> None:
    assert object_id("m", 12) == "m12"
    assert object_number("m", "m12") == 12
    assert object_number("m", f"m{MAX_OBJECT_ID}") == MAX_OBJECT_ID


@pytest.mark.parametrize(
    "text",
    [
        "",
        "m",
        "m0",
        "m01",
        "m-1",
        "e12",
        "M12",
        "m12x",
        "m12\n",
        "mm1",
        "m٣",
        f"m{MAX_OBJECT_ID + 1}",
        "m99999999999",
    ],
)
def test_what_no_object_has_as_its_id(text: str) -> None:
    assert object_number("m", text) is None


@pytest.mark.rfc("8620", "1.2")
def test_an_id_is_a_string() -> None:
    assert is_id("a")
    assert not is_id(1)


@pytest.mark.rfc("8620", "1.4")
def test_moments_are_written_in_utc() -> None:
    tokyo = timezone(timedelta(hours=9))
    assert format_utc(datetime(2020, 1, 1, 8, 59, 59, 999, tzinfo=tokyo)) == "2019-12-31T23:59:59Z"
    assert format_utc(datetime(33, 4, 3, 15, tzinfo=UTC)) == "0033-04-03T15:00:00Z"


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_is_read_as_it_was_written(moment: datetime) -> None:
    assert parse_date(format_utc(moment)) == moment.replace(microsecond=0)
