"""The matrix of RFC sections and tests: that it is fresh and whole, and how marks are read."""

from __future__ import annotations

import pytest

from tests.support.rfc_matrix import MATRIX, Mark, current, load_documents, marks_of, matrix, problems

SECTIONS = """
[8620]
title = "Core"
[8620.sections]
"1" = { title = "Introduction" }
"5.3" = { title = "/set", must = 2, should = 1 }
"7" = { title = "Push", must = 1, duty = "later", why = "Not yet." }
"""
DOCUMENTS = load_documents(SECTIONS)
SHOWN = Mark("8620", "5.3", "tests/test_a.py", "test_that")


def test_the_matrix_is_fresh() -> None:
    assert MATRIX.read_text() == current()[0], "`make rfc-matrix` writes it anew"


def test_every_section_with_a_must_is_shown() -> None:
    assert current()[1] == []


def test_marks_of_modules_classes_tests_and_parameters_are_read() -> None:
    source = """
import pytest
pytestmark = [pytest.mark.rfc("1", "1"), pytest.mark.e2e]

@pytest.mark.rfc("1", "2")
class TestIt:
    pytestmark = pytest.mark.rfc("1", "3")

    @pytest.mark.rfc("1", "4")
    def test_inner(self): ...

@pytest.mark.parametrize("n", [1, pytest.param(2, marks=pytest.mark.rfc("1", "5"))])
def test_outer(n): ...

def other(): ...
"""
    read = {(mark.section, mark.test) for mark in marks_of(source, "tests/test_it.py")}
    inner = {(section, "test_inner") for section in "1234"}
    assert read == inner | {("1", "test_outer"), ("5", "test_outer")}


@pytest.mark.parametrize(
    "source",
    [
        'CORE = pytest.mark.rfc("8620", "2")',
        '@pytest.mark.rfc("8620", "2")\ndef made(): ...',
        '@pytest.mark.rfc("8620")\ndef test_it(): ...',
        "@pytest.mark.rfc(8620, 2)\ndef test_it(): ...",
        '@pytest.mark.rfc("8620", SECTION)\ndef test_it(): ...',
    ],
)
def test_a_mark_that_cannot_be_read_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match=r"test_it\.py:\d+: an RFC mark"):
        marks_of(source, "test_it.py")


def test_nothing_is_wrong_where_every_must_is_shown_or_somebody_elses() -> None:
    assert problems(DOCUMENTS, [SHOWN, Mark("5322", "3", "tests/test_a.py", "test_that")]) == []


def test_a_must_without_a_test_is_wrong() -> None:
    assert problems(DOCUMENTS, []) == ["RFC 8620 §5.3 (/set) has a MUST and no test"]


def test_a_section_that_does_not_exist_is_wrong() -> None:
    wrong = problems(DOCUMENTS, [SHOWN, Mark("8620", "5.33", "tests/test_a.py", "test_that")])
    assert wrong == ["tests/test_a.py: test_that: RFC 8620 has no section 5.33"]


def test_what_is_for_later_has_no_tests() -> None:
    wrong = problems(DOCUMENTS, [SHOWN, Mark("8620", "7", "tests/test_a.py", "test_that")])
    assert wrong == ["RFC 8620 §7 (Push) has tests, so it is built: it is no longer one of those for later"]


@pytest.mark.parametrize("duty", ['duty = "nobody", why = "x"', 'duty = "client"'])
def test_a_duty_is_known_and_has_a_reason(duty: str) -> None:
    documents = load_documents(SECTIONS.replace('duty = "later", why = "Not yet."', duty))
    assert problems(documents, [SHOWN]) == [
        "RFC 8620 §7 (Push): a duty is one of client, author, later, and says why"
    ]


def test_the_matrix_lists_requirements_and_tests() -> None:
    text = matrix(DOCUMENTS, [SHOWN, Mark("5322", "3", "tests/test_a.py", "test_more")])
    assert text.partition("## ")[2] == (
        """RFC 8620: Core

| section | MUST | SHOULD | tests | note |
| --- | ---: | ---: | ---: | --- |
| 5.3 /set | 2 | 1 | 1 |  |
| 7 Push | 1 |  |  | later: Not yet. |

### RFC 8620 §5.3: /set

- [test_a.py](../tests/test_a.py)
  - that

## Other documents

### RFC 5322 §3

- [test_a.py](../tests/test_a.py)
  - more
"""
    )
