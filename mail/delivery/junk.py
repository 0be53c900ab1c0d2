"""The header fields by which a filter marks junk. Pure Python, for the settings read it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JunkRule:
    """A header field, its name in lower case, that marks junk; a value that ends in `*` tells how the field's begins."""

    name: str
    value: str

    def matches(self, value: str) -> bool:
        """Whether a field's value, case-folded, is the rule's."""
        return value.startswith(self.value[:-1]) if self.value.endswith("*") else value == self.value


def junk_rules(text: str) -> tuple[JunkRule, ...]:
    """The rules of a setting: `Name: value`, with semicolons between them. Raises ValueError for anything else."""
    rules = []
    for given in filter(None, (part.strip() for part in text.split(";"))):
        name, colon, value = (each.strip() for each in given.partition(":"))
        if not (colon and name and value):
            raise ValueError(f"{given!r} is not a header field with its value")
        rules.append(JunkRule(name.lower(), value.casefold()))
    return tuple(rules)
