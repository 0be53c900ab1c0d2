"""How many requests of one user are under way in this process, and how many JMAP calls are at work at once."""

from __future__ import annotations

import threading

from django.conf import settings

from jmapcore.protocol.errors import LimitExceeded, RequestError


def count_down(counts: dict[int, int], user_id: int) -> None:
    """Take one from a user's count; users without any are not kept."""
    if left := counts[user_id] - 1:
        counts[user_id] = left
    else:
        del counts[user_id]


class PerUser:
    """Counts what each user has under way; more than the limit is refused with 429 (RFC 8620 §2, §3.6.1)."""

    def __init__(self, limit_name: str) -> None:
        self.limit_name = limit_name
        self._lock = threading.Lock()
        self._counts: dict[int, int] = {}

    def one(self, user_id: int) -> _One:
        """Count one request for the length of a `with` block. Entering it raises `LimitExceeded`."""
        return _One(self, user_id)

    def enter(self, user_id: int) -> None:
        """Count one request more. Raises `LimitExceeded`."""
        limit = settings.JMAP_LIMITS[self.limit_name]
        with self._lock:
            count = self._counts.get(user_id, 0)
            if count < limit:
                self._counts[user_id] = count + 1
                return
        raise LimitExceeded(
            self.limit_name,
            f"This user has {limit} such requests under way already.",
            status=429,
            headers={"Retry-After": "1"},
        )

    def leave(self, user_id: int) -> None:
        """Count one request less."""
        with self._lock:
            count_down(self._counts, user_id)


class _One:
    """One request of a user. A class: a generator would cost every request twice as much."""

    __slots__ = ("_counted", "_user_id")

    def __init__(self, counted: PerUser, user_id: int) -> None:
        self._counted = counted
        self._user_id = user_id

    def __enter__(self) -> None:
        self._counted.enter(self._user_id)

    def __exit__(self, *problem: object) -> None:
        self._counted.leave(self._user_id)


requests = PerUser("maxConcurrentRequests")


class _Waiting:
    """A request that waits for a place; `given` is released when it has one."""

    __slots__ = ("given", "user_id")

    def __init__(self, user_id: int) -> None:
        self.user_id = user_id
        self.given = threading.Lock()
        self.given.acquire()


class Places:
    """The few places in which JMAP calls are executed at the same time.

    A place that becomes free goes to the user with the fewest at work, and of these to who came first: one user's long requests
    keep another's waiting for one of them at most.
    """

    def __init__(self, count: int) -> None:
        self._lock = threading.Lock()
        self._free = count
        self._users: dict[int, int] = {}
        self._waiting: list[_Waiting] = []

    def enter(self, user_id: int, timeout: float) -> bool:
        """Take a place, waiting for it so many seconds; whether there was one."""
        with self._lock:
            if self._free:
                self._free -= 1
                self._users[user_id] = self._users.get(user_id, 0) + 1
                return True
            waiting = _Waiting(user_id)
            self._waiting.append(waiting)
        if waiting.given.acquire(timeout=timeout):
            return True
        with self._lock:
            if waiting in self._waiting:
                self._waiting.remove(waiting)
                return False
        return True  # it was given in the same moment

    def leave(self, user_id: int) -> None:
        """Give the place to who is next, or back."""
        with self._lock:
            count_down(self._users, user_id)
            if not self._waiting:
                self._free += 1
                return
            following = min(self._waiting, key=lambda each: self._users.get(each.user_id, 0))
            self._waiting.remove(following)
            self._users[following.user_id] = self._users.get(following.user_id, 0) + 1
            following.given.release()


places = Places(settings.JMAP_CONCURRENT_CALLS)


class at_work:  # noqa: N801  # used as a function is: with at_work(user)
    """Wait for one of the few places in which JMAP calls are executed.

    The many threads of a web process wait for slow bodies; two at a time do the work. Entering raises `RequestError` (503).
    """

    __slots__ = ("_user_id",)

    def __init__(self, user_id: int) -> None:
        self._user_id = user_id

    def __enter__(self) -> None:
        if not places.enter(self._user_id, settings.JMAP_WAIT_SECONDS):
            raise RequestError(
                "The server is busy. Try again in a moment.", status=503, headers={"Retry-After": "5"}
            )

    def __exit__(self, *problem: object) -> None:
        places.leave(self._user_id)
