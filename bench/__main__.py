"""`python -m bench`: the program behind `make bench`."""

from __future__ import annotations

import os
import sys

from bench.comparison import ComparisonError, compare, load
from bench.options import Options, parse
from bench.service import ServiceError, free_port


def main(arguments: list[str]) -> int:
    """Do what the command line says; the exit status: 1 where a budget is exceeded, 2 where nothing could be measured."""
    options = parse(arguments)
    if options.compare is not None:
        try:
            lines = compare(*(load(path) for path in options.compare))
        except ComparisonError as error:
            sys.stderr.write(f"{error}\n")
            return 2
        sys.stdout.write("\n".join(lines) + "\n")
        return 0
    configure(options)
    # What follows needs settings, which read the environment as they are imported.
    from bench.peer import PeerError
    from bench.run import run
    from jmapsite.embedded import EmbeddedServerError

    try:
        return run(options)
    except (EmbeddedServerError, ServiceError, PeerError) as error:
        sys.stderr.write(f"{error}\n")
        return 2


def configure(options: Options) -> None:
    """Have the settings point to servers and a port of the benchmark's own, whatever the caller's environment names."""
    for name in (
        "DATABASE_URL",
        "MIGRATE_DATABASE_URL",
        "REDIS_URL",
        "PUBLIC_URL",
        "PUSH_PUBLIC_URL",
        "HTTPS",
        "HOST",
    ):
        os.environ.pop(name, None)
    os.environ["VAR_DIR"] = str(options.var_dir)
    os.environ["PORT"] = str(free_port())
    os.environ["DJANGO_SETTINGS_MODULE"] = "jmapsite.settings"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
