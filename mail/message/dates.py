"""Dates of header fields (RFC 5322 §3.3 and §4.3), as RFC 3339 text and as datetime."""

import re
from datetime import UTC, datetime, timedelta, timezone

from mail.message.encoded_words import COMMENT, unfolded

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}

#: Hours east of UTC (RFC 5322 §4.3). All other names, the military letters among them, mean that the zone is
#: unknown.
_ZONES = {"EDT": -4, "EST": -5, "CDT": -5, "CST": -6, "MDT": -6, "MST": -7, "PDT": -7, "PST": -8}

_DATE_TIME = re.compile(
    r"(?:[A-Za-z]{2,9}\.?\s*+,?\s*+)?(?P<day>\d{1,2})(?:st|nd|rd|th)?(?:\s*+-\s*+|\s*+)"
    r"(?P<month>[A-Za-z]{3,9})\.?(?:\s*+-\s*+|\s*+)(?P<year>\d{2,5})\s*+,?\s*+"
    r"(?P<hour>\d{1,2})\s*+[:.]\s*+(?P<minute>\d{1,2})(?:\s*+[:.]\s*+(?P<second>\d{1,2})(?:\.\d+)?)?"
    r"\s*+(?P<zone>(?:[A-Za-z]{2,5}\s?)?[+-]\s?\d{1,2}(?::?\d{2})?(?!\d)|[A-Za-z]{1,5})?"
)
_ASCTIME = re.compile(
    r"(?:[A-Za-z]{3,9},?\s++)?(?P<month>[A-Za-z]{3,9})\s++(?P<day>\d{1,2}),?\s++"
    r"(?P<hour>\d{1,2}):(?P<minute>\d{1,2})(?::(?P<second>\d{1,2}))?\s++"
    r"(?:(?P<zone>[A-Za-z]{1,5}|[+-]\d{4})\s++)?(?P<year>\d{4})(?P<zone_after>\s++[+-]\d{4})?"
)
_COMMENT = re.compile(COMMENT, re.DOTALL)


def parse_date(value: bytes) -> datetime | None:
    """The moment that a date field names, in the zone it was written in; None if it names none.

    Obsolete forms (two-digit years, named zones, comments) and common mistakes (full month names, asctime
    order) are read. A leap second becomes second 59; an unknown zone is UTC.
    """
    text = unfolded(value[:512])
    if "(" in text:
        text = _COMMENT.sub(" ", text)
    text = text.strip()
    match = _DATE_TIME.match(text) or _ASCTIME.match(text)
    if match is None:
        return None
    found = match.groupdict()
    month = _MONTHS.get(found["month"][:3].lower())
    if month is None:
        return None
    offset = _offset(found["zone"] or (found.get("zone_after") or "").strip())
    try:
        return datetime(
            _year(found["year"]),
            month,
            int(found["day"]),
            int(found["hour"]),
            int(found["minute"]),
            min(int(found["second"] or 0), 59) if int(found["second"] or 0) <= 60 else 99,
            tzinfo=UTC if offset == 0 else timezone(timedelta(minutes=offset)),
        )
    except ValueError:
        return None


def _year(digits: str) -> int:
    """RFC 5322 §4.3: "00" to "49" are this century's, other years of two digits, and those of three, count
    from 1900.
    """
    year = int(digits)
    if len(digits) == 2:
        return year + (2000 if year < 50 else 1900)
    return year + 1900 if len(digits) == 3 else year


def _offset(zone: str) -> int:
    """Minutes east of UTC; 0 for a zone that is unknown or impossible."""
    sign = max(zone.find("+"), zone.find("-"))
    if sign < 0:
        return _ZONES.get(zone.upper(), 0) * 60
    digits = zone[sign + 1 :].replace(":", "").strip()
    digits = digits.zfill(4) if len(digits) > 2 else digits.zfill(2) + "00"
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 23 or minutes > 59:
        return 0
    return (hours * 60 + minutes) * (-1 if zone[sign] == "-" else 1)


def date_text(moment: datetime) -> str:
    """A moment as the Date type has it (RFC 8620 §1.4): "Z" for UTC, else its offset, no fraction of a
    second.
    """
    text = moment.isoformat(timespec="seconds")
    return text if moment.utcoffset() else text[:19] + "Z"


def as_date(value: bytes) -> str | None:
    """The Date form of a header field: RFC 3339 text, or null if it cannot be parsed (RFC 8621 §4.1.2.6)."""
    moment = parse_date(value)
    return None if moment is None else date_text(moment)


def received_date(value: bytes) -> datetime | None:
    """The date of a Received field, which stands after its last semicolon (RFC 5322 §3.6.7), in UTC."""
    _, semicolon, date = value.rpartition(b";")
    moment = parse_date(date) if semicolon else None
    if moment is None:
        return None
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return None
