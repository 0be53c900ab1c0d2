"""What no source may contain, whatever it does on the Python of who wrote it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDERS = ("accounts", "jmapcore", "jmapsite", "mail", "push", "bench")

POSSESSIVE_GROUP = re.compile(r"(?<!\\)\)(?:[*+?]|\{[^}]*\})\+")


def test_no_group_is_repeated_possessively() -> None:
    """`(?:…)*+` goes on in the wrong place where its last round fails, in Python 3.11.0 to 3.11.4; `(?>(?:…)*)` does not."""
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line in path.read_text().splitlines()
        if POSSESSIVE_GROUP.search(line)
    ]
    assert found == []
