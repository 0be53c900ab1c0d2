"""The JSON texts that rows carry."""

from __future__ import annotations

import gc

from mail import fragments


def test_large_sets_of_keywords_and_mailboxes_are_not_remembered() -> None:
    keywords = frozenset(f"{number:03}" + "k" * 252 for number in range(100))
    assert fragments.keywords_text(keywords).count(" ") == 99
    assert fragments.keywords_json(keywords).count("true") == 100
    assert fragments.normalise_keywords(keywords) == keywords
    assert fragments.mailboxes_json(frozenset(range(1, 5_001))).count("true") == 5_000
    found = [each for each in gc.get_referrers(keywords) if isinstance(each, dict) and each is not locals()]
    assert found == []


def test_small_sets_are_remembered() -> None:
    first = fragments.keywords_json(frozenset({"$seen", "$flagged"}))
    assert fragments.keywords_json(frozenset({"$flagged", "$seen"})) is first
