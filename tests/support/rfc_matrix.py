"""docs/rfc-matrix.md: the sections of the RFCs, and the tests that show that they hold (`make rfc-matrix`).

The marks are read from the source of the tests, so that neither a database nor a run is needed. The sections stand in
`rfc_sections.toml`.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SECTIONS = Path(__file__).with_name("rfc_sections.toml")
MATRIX = ROOT / "docs" / "rfc-matrix.md"
DUTIES = {
    "client": "of clients",
    "author": "of no server",
    "later": "later",
}

INTRODUCTION = """\
# The RFCs, section by section, and the tests that show them

Made by `make rfc-matrix` from the tests' marks and `tests/support/rfc_sections.toml`; not edited by hand. A section stands here
when it requires something or a test shows it. MUST counts how often the section says MUST, MUST NOT, SHALL or REQUIRED, SHOULD
likewise; of RFC 9007, 9404 and 9425 it is only said whether it does. A section with a MUST has a test, unless the note says whose
duty it is instead. A test with several sets of parameters counts once.
"""


@dataclass(frozen=True, slots=True)
class Section:
    """A section of an RFC: `must` and `should` count its requirements (True: some). `duty` is empty where it is the server's."""

    number: str
    title: str
    must: int
    should: int
    duty: str
    why: str


@dataclass(frozen=True, slots=True)
class Document:
    """An RFC and its sections by their numbers, in order."""

    number: str
    title: str
    sections: Mapping[str, Section]


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A test (its file below the root, its name) that shows a section of a document."""

    document: str
    section: str
    file: str
    test: str


def load_documents(text: str) -> dict[str, Document]:
    """The documents in the text of `rfc_sections.toml`, by their numbers."""
    return {
        number: Document(
            number,
            given["title"],
            {
                name: Section(
                    name,
                    section["title"],
                    section.get("must", 0),
                    section.get("should", 0),
                    section.get("duty", ""),
                    section.get("why", ""),
                )
                for name, section in given["sections"].items()
            },
        )
        for number, given in tomllib.loads(text).items()
    }


def read_marks(directory: Path, root: Path) -> list[Mark]:
    """The RFC marks of every test file below a directory. Raises `ValueError` for one that stands where none is read."""
    files = sorted(directory.rglob("test_*.py"))
    return sorted(
        mark for path in files for mark in marks_of(path.read_text(), path.relative_to(root).as_posix())
    )


def marks_of(source: str, file: str) -> set[Mark]:
    """The RFC marks in the source of a test file: of the module (`pytestmark`), of classes, of tests and their parameters."""
    tree = ast.parse(source)
    seen: set[int] = set()
    marks: set[Mark] = set()

    def take(nodes: Iterable[ast.AST]) -> list[tuple[str, str]]:
        calls = [call for node in nodes for call in _calls(node)]
        seen.update(id(call) for call in calls)
        return [_arguments(call, file) for call in calls]

    def visit(body: Iterable[ast.stmt], outer: list[tuple[str, str]]) -> None:
        statements = list(body)
        here = outer + take([node for node in statements if _is_pytestmark(node)])
        for node in statements:
            if isinstance(node, ast.ClassDef):
                visit(node.body, here + take(node.decorator_list))
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                marks.update(
                    Mark(document, section, file, node.name)
                    for document, section in here + take(node.decorator_list)
                )

    visit(tree.body, [])
    unread = [call for call in _calls(tree) if id(call) not in seen]
    if unread:
        raise ValueError(
            f"{file}:{unread[0].lineno}: an RFC mark stands on tests, classes or in pytestmark alone"
        )
    return marks


def _is_pytestmark(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and any(
        isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets
    )


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call) and ast.unparse(inner.func) == "pytest.mark.rfc":
            yield inner


def _arguments(call: ast.Call, file: str) -> tuple[str, str]:
    match call.args:
        case [ast.Constant(value=str(document)), ast.Constant(value=str(section))]:
            return document, section
    raise ValueError(f"{file}:{call.lineno}: an RFC mark has two texts: document and section")


def problems(documents: Mapping[str, Document], marks: Iterable[Mark]) -> list[str]:
    """What is wrong with the marks and the sections; empty where nothing is."""
    found = []
    shown = defaultdict(list)
    for mark in marks:
        shown[mark.document, mark.section].append(mark)
        document = documents.get(mark.document)
        if document is not None and mark.section not in document.sections:
            found.append(f"{mark.file}: {mark.test}: RFC {mark.document} has no section {mark.section}")
    for document in documents.values():
        for section in document.sections.values():
            name = f"RFC {document.number} §{section.number} ({section.title})"
            tests = shown[document.number, section.number]
            if section.duty and (section.duty not in DUTIES or not section.why):
                found.append(f"{name}: a duty is one of {', '.join(DUTIES)}, and says why")
            if section.must and not section.duty and not tests:
                found.append(f"{name} has a MUST and no test")
            if section.duty == "later" and tests:
                found.append(f"{name} has tests, so it is built: it is no longer one of those for later")
    return found


def matrix(documents: Mapping[str, Document], marks: Iterable[Mark]) -> str:
    """The text of docs/rfc-matrix.md."""
    shown: dict[tuple[str, str], list[Mark]] = defaultdict(list)
    for mark in sorted(marks):
        shown[mark.document, mark.section].append(mark)
    lines = [INTRODUCTION]
    for document in documents.values():
        listed = [
            section
            for section in document.sections.values()
            if section.must or section.should or shown[document.number, section.number]
        ]
        lines += [f"## RFC {document.number}: {document.title}", "", *_table(document, listed, shown), ""]
        for section in listed:
            if tests := shown[document.number, section.number]:
                lines += [
                    f"### RFC {document.number} §{section.number}: {section.title}",
                    "",
                    *_tests(tests),
                    "",
                ]
    others = sorted({key for key in shown if key[0] not in documents and shown[key]}, key=_order)
    if others:
        lines += ["## Other documents", ""]
        for key in others:
            lines += [f"### RFC {key[0]} §{key[1]}", "", *_tests(shown[key]), ""]
    return "\n".join(lines).rstrip() + "\n"


def _order(key: tuple[str, str]) -> list[int]:
    return [int(part) for text in key for part in text.split(".")]


def _table(
    document: Document, sections: Iterable[Section], shown: Mapping[tuple[str, str], list[Mark]]
) -> list[str]:
    rows = ["| section | MUST | SHOULD | tests | note |", "| --- | ---: | ---: | ---: | --- |"]
    for section in sections:
        tests = len(shown[document.number, section.number])
        note = f"{DUTIES[section.duty]}: {section.why}" if section.duty else section.why
        requirements = f"{_count(section.must)} | {_count(section.should)}"
        rows.append(f"| {section.number} {section.title} | {requirements} | {_count(tests)} | {note} |")
    return rows


def _count(number: int) -> str:
    return "yes" if number is True else str(number) if number else ""


def _tests(marks: Iterable[Mark]) -> list[str]:
    by_file = defaultdict(list)
    for mark in marks:
        by_file[mark.file].append(mark.test.removeprefix("test_").replace("_", " "))
    lines = []
    for file, tests in by_file.items():
        lines.append(f"- [{file.removeprefix('tests/')}](../{file})")
        lines += [f"  - {test}" for test in tests]
    return lines


def current() -> tuple[str, list[str]]:
    """The matrix as the tests of this repository say it, and what is wrong with them."""
    documents = load_documents(SECTIONS.read_text())
    marks = read_marks(ROOT / "tests", ROOT)
    return matrix(documents, marks), problems(documents, marks)


def main() -> int:
    """Write docs/rfc-matrix.md; 1 where a mark or a section is wrong."""
    text, wrong = current()
    MATRIX.write_text(text)
    for problem in wrong:
        print(problem, file=sys.stderr)  # noqa: T201  # a command speaks to whoever ran it
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
