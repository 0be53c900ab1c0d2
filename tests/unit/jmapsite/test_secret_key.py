"""The SECRET_KEY in VAR_DIR."""

from __future__ import annotations

import stat
from pathlib import Path

from jmapsite.secret_key import kept_secret_key


def test_it_is_made_once(tmp_path: Path) -> None:
    key = kept_secret_key(tmp_path / "var")
    assert kept_secret_key(tmp_path / "var") == key
    assert len(key) == 64


def test_nobody_else_reads_it(tmp_path: Path) -> None:
    kept_secret_key(tmp_path)
    assert stat.S_IMODE((tmp_path / "secret-key").stat().st_mode) == 0o600


def test_each_directory_has_its_own(tmp_path: Path) -> None:
    assert kept_secret_key(tmp_path / "one") != kept_secret_key(tmp_path / "other")
