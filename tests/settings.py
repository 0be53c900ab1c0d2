"""The settings of the tests: those of the service, with a data directory of their own below its VAR_DIR."""

from __future__ import annotations

import os
from pathlib import Path

if "PYTEST_XDIST_WORKER" not in os.environ:  # a worker has inherited what its controller has set
    _var_dir = os.environ.get("VAR_DIR") or Path(__file__).resolve().parent.parent / "var"
    os.environ["VAR_DIR"] = str(Path(_var_dir) / "test")

from jmapsite.settings import *  # noqa: F403 the settings of the service read VAR_DIR when they are imported

INSTALLED_APPS = [*INSTALLED_APPS, "tests.toys"]  # noqa: F405 the settings of the service

# What a commit calls for is looked up where a test says so, and not in a thread behind all of them.
PUSH_AT_ONCE = False
