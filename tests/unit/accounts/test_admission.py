"""What is remembered of who was let in: bounded, for a minute, and only as good as the gate's next answer."""

from __future__ import annotations

from accounts.access import Caller
from accounts.admission import Admission, Admissions

ROW = (1, 2, "a@example.com", False, False, 3)


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def admission(*rows: tuple[object, ...]) -> Admission:
    """An admission for which the gate gave these rows."""
    caller = Caller(1, 2, "a@example.com", "token:1", frozenset(), ())
    return Admission(caller, ("SELECT", ()), list(rows))


def test_the_same_header_is_recalled_and_no_other() -> None:
    admissions, known = Admissions(), admission(ROW)
    admissions.remember("Bearer a", known)
    assert admissions.recall("Bearer a") is known
    assert admissions.recall("Bearer b") is None
    assert admissions.recall(None) is None


def test_a_header_is_recalled_for_its_lifetime_after_its_last_use() -> None:
    clock = Clock()
    admissions = Admissions(lifetime=60, clock=clock)
    admissions.remember("Bearer a", admission(ROW))
    clock.now = 59
    assert admissions.recall("Bearer a") is not None
    clock.now = 118
    assert admissions.recall("Bearer a") is not None
    clock.now = 178
    assert admissions.recall("Bearer a") is None
    assert len(admissions) == 0


def test_what_was_used_longest_ago_goes_first() -> None:
    admissions = Admissions(maximum=2)
    for name in "ab":
        admissions.remember(name, admission(ROW))
    admissions.recall("a")
    admissions.remember("c", admission(ROW))
    assert [name for name in "abc" if admissions.recall(name) is not None] == ["a", "c"]


def test_what_the_gate_answers_otherwise_is_forgotten() -> None:
    admissions = Admissions()
    admissions.remember("a", admission(ROW))
    admissions.forget("a")
    admissions.forget(None)
    assert admissions.recall("a") is None


def test_it_holds_while_the_gate_gives_the_same_rows() -> None:
    assert admission(ROW).holds([ROW])
    assert not admission(ROW).holds([])
    assert not admission(ROW).holds([(*ROW[:3], True, *ROW[4:])])


def test_grants_hold_in_any_order_and_none_may_be_missing() -> None:
    first, second = (*ROW, 10, "b@example.com"), (*ROW, 11, "c@example.com")
    assert admission(first, second).holds([second, first])
    assert not admission(first, second).holds([first])
    assert not admission(first, second).holds([first, (*ROW, 12, "c@example.com")])
