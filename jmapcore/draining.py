"""What is left of a body that is refused: read and thrown away, so that its sender gets to know why.

Who is still sending when the connection closes mostly sees that it was reset, and not the answer (RFC 9112 §9.6).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from jmapcore.protocol.errors import RequestError
from jmapcore.transfers import Pace

PIECE = 64 * 1024
TIMES = 2
"""A body of more than so many times what is allowed is nobody's mistake: its sender is cut off."""


def drain(environ: Mapping[str, Any], read: Callable[[int], bytes], expected: int | None, limit: int) -> None:
    """Read what is left of a body: `expected` octets, None for one in chunks, at most `TIMES` the limit that it is refused for.

    Nobody who waits for leave to send (`Expect: 100-continue`) is made to. Ends early where octets come too slowly.
    """
    most = TIMES * limit
    if "HTTP_EXPECT" in environ or (expected is not None and expected > most):
        return
    left = most if expected is None else expected
    pace = Pace()
    taken = 0
    with suppress(RequestError, OSError):
        while taken < left:
            piece = read(min(PIECE, left - taken))
            if not piece:
                return
            taken += len(piece)
            pace.check(taken)
