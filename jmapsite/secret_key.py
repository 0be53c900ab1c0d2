"""The SECRET_KEY that is made once and kept in VAR_DIR."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from jmapsite.embedded.layout import Layout
from jmapsite.embedded.server_user import make_var_dir

FILE_NAME = "secret-key"


def kept_secret_key(var_dir: Path) -> str:
    """The key in VAR_DIR/secret-key (mode 0600), made at random where there is none yet.

    Raises `EmbeddedServerError` where VAR_DIR cannot be used, `PermissionError` where the file is another
    user's.
    """
    path = var_dir / FILE_NAME
    if not path.exists():
        make_var_dir(Layout(var_dir))
        # Written aside and linked into place, so that of two first processes both read the same key.
        made = path.with_name(f"{FILE_NAME}.{os.getpid()}")
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(made, path)
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return path.read_text("ascii")
