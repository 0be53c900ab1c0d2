"""Sizes as people write them: `5GB`, `500 MB`, `2GiB`. Pure Python, for settings and commands alike."""

from __future__ import annotations

import re

_SIZE = re.compile(r"(\d{1,15})(?:[.,](\d{1,6}))?\s*([kmgtp]?)(i?)b?", re.IGNORECASE | re.ASCII)
_POWERS = "kmgtp"
_UNITS = ("kB", "MB", "GB", "TB", "PB")
MOST = 2**53 - 1
"""The largest UnsignedInt (RFC 8620 §1.3)."""


def parse_octets(text: str) -> int | None:
    """Octets in a size: `5000`, `5kB` (of 1,000), `5KiB` (of 1,024), `1.5 GB`; None for what is none, or is too large."""
    match = _SIZE.fullmatch(text.strip())
    if match is None or (match[4] and not match[3]) or (match[2] and not match[3]):
        return None
    power = _POWERS.index(match[3].lower()) + 1 if match[3] else 0
    unit = (1024 if match[4] else 1000) ** power
    decimals = match[2] or ""
    octets = int(match[1] + decimals) * unit // 10 ** len(decimals)
    return octets if octets <= MOST else None


def format_octets(octets: int) -> str:
    """Octets for a person, with three digits that count: `4.7 GB`."""
    if octets < 1000:
        return f"{octets} octets"
    power = 0
    size = float(octets)
    while size >= 999.5 and power < len(_POWERS):
        size /= 1000
        power += 1
    return f"{size:.3g} {_UNITS[power - 1]}"
