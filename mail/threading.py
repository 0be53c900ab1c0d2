"""Which Thread a message belongs to (RFC 8621 §3): an equal message id and an equal base subject.

Pure computation on what was read under the lock; `mail.ingest` reads and writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from hashlib import blake2b

from mail.counters import Member

REFERENCES_CONSIDERED = 50
"""How many References count, the last ones: the nearest ancestors. Old threads name hundreds. Other lists are cut as well."""

MERGED_AT_MOST = 100
"""How many Emails may get new ids for one message that joins Threads; larger Threads stay apart."""

LARGEST_THREAD = 1_000
"""A Thread with as many Emails takes no more: each that comes reads the whole Thread. Further ones start another."""


def subject_key(base_subject: str) -> str:
    """By what subjects are compared: "ignoring white space" (RFC 8621 §3), and case, as RFC 5256 §3 does."""
    return "".join(base_subject.casefold().split())


def reference_hash(message_id: str, subject: str) -> int:
    """Signed 64 bits of a message id together with a `subject_key`, for `thread_ref.hash`."""
    text = f"{message_id}\0{subject}".encode(errors="surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big", signed=True)


def reference_hashes(
    message_id: Sequence[str] | None,
    in_reply_to: Sequence[str] | None,
    references: Sequence[str] | None,
    base_subject: str,
) -> tuple[int, ...]:
    """The hashes of all message ids of a message, each once; none for a message that names none."""
    named = (message_id or (), in_reply_to or (), references or ())
    # Each list ends somewhere: a field may name ten thousands, of which each would be a row.
    ids = [name for ids in named for name in ids[-REFERENCES_CONSIDERED:]]
    subject = subject_key(base_subject)
    return tuple(reference_hash(name, subject) for name in dict.fromkeys(ids))


class Assignment:
    """Puts new Emails into Threads, one after the other, and merges Threads that an Email joins.

    `threads` are the Threads that the hashes lead to, complete; `references` the (hash, Thread) pairs that led there.
    After the last `place`, `threads` says who is where, `copied` which new Email stands for which old one (a threadId
    is immutable: an Email that changes its Thread is destroyed and created under a new id), `absorbed` which Thread
    went up into which.
    """

    def __init__(
        self,
        threads: dict[int, list[Member]],
        references: Iterable[tuple[int, int]],
        new_id: Callable[[], int],
    ) -> None:
        self.threads = {thread_id: list(members) for thread_id, members in threads.items()}
        self.copied: dict[int, int] = {}
        self.absorbed: dict[int, int] = {}
        self._stored = {member.id for members in threads.values() for member in members}
        self._new_id = new_id
        self._by_hash: dict[int, set[int]] = {}
        for name, thread_id in references:
            self._by_hash.setdefault(name, set()).add(thread_id)

    def place(self, hashes: Sequence[int]) -> int:
        """The Thread for a message with these reference hashes, after the merges that it causes; a new id for none."""
        candidates = {self.resolve(thread_id) for name in hashes for thread_id in self._by_hash.get(name, ())}
        open_ones = [thread_id for thread_id in candidates if len(self.threads[thread_id]) < LARGEST_THREAD]
        ranked = sorted(open_ones, key=lambda thread_id: (-len(self.threads[thread_id]), thread_id))
        target = ranked[0] if ranked else self._new_id()
        self.threads.setdefault(target, [])
        room = MERGED_AT_MOST
        for smaller in ranked[1:]:
            size = len(self.threads[smaller])
            if size <= room and len(self.threads[target]) + size < LARGEST_THREAD:
                room -= size
                self._absorb(smaller, target)
        for name in hashes:
            self._by_hash.setdefault(name, set()).add(target)
        return target

    def add(self, member: Member) -> None:
        """Enter a new Email into the Thread that `place` named."""
        self.threads[member.thread_id].append(member)

    def resolve(self, thread_id: int) -> int:
        """The Thread itself, or the one that it went up into."""
        while thread_id in self.absorbed:
            thread_id = self.absorbed[thread_id]
        return thread_id

    def _absorb(self, smaller: int, larger: int) -> None:
        for member in self.threads.pop(smaller):
            email_id = member.id
            if email_id in self._stored:
                email_id = self._new_id()
                self.copied[email_id] = member.id
            self.threads[larger].append(replace(member, id=email_id, thread_id=larger))
        self.absorbed[smaller] = larger
