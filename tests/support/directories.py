"""Data directories for tests that start servers of their own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings


@contextmanager
def new_var_dir() -> Iterator[Path]:
    """A new VAR_DIR below that of the tests, which the user of the servers can reach; removed at the end."""
    settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
    path = Path(tempfile.mkdtemp(prefix="v-", dir=settings.VAR_DIR))
    try:
        yield path
    finally:
        shutil.rmtree(path)
