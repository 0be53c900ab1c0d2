"""The process `push`: `python -m push.serving --endpoint tcp:8001:interface=127.0.0.1 jmapsite.asgi:application`."""

from __future__ import annotations

import argparse

from daphne.utils import import_by_path


def main() -> None:
    """Serve an ASGI application at endpoints of Twisted's description."""
    parser = argparse.ArgumentParser(prog="push.serving", description="Event streams and WebSockets of JMAP.")
    parser.add_argument(
        "--endpoint", action="append", required=True, help="where to listen, as Twisted writes it"
    )
    parser.add_argument("application", help="module:name of the ASGI application")
    options = parser.parse_args()
    application = import_by_path(options.application)
    from push.serving.server import PushServer  # reads the settings, which the application has set up

    PushServer(application, options.endpoint).run()


if __name__ == "__main__":
    main()
