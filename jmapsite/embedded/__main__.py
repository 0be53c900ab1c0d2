"""The program of the keeper: `python -m jmapsite.embedded SERVER VAR_DIR [volatile]`."""

from __future__ import annotations

import sys
from pathlib import Path

from jmapsite.embedded.keeper import keep
from jmapsite.embedded.layout import Layout


def main(arguments: list[str]) -> int:
    """Keep one server; the exit status is the keeper's."""
    server, var_dir, *options = arguments
    return keep(server, Layout(Path(var_dir)), durable="volatile" not in options)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
