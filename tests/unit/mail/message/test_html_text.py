"""Text out of HTML."""

import pytest

from mail.message.html_text import html_to_text, outside_tags


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("plain", "plain"),
        ("<p>one<p>two", "\none\ntwo"),
        ("a<b>b</b>c", "abc"),
        ("a<b> <br>c", "a\nc"),
        ("a<b><br>c", "a\nc"),
        ("a&amp;b&#8364;&nbsp;&bogus;", "a&b€\xa0&bogus;"),
        ("a&#99999999999999999999;b", "ab"),
        ("a<!-- <p>hidden > -->b", "a\nb"),
        ("a<STYLE type='x'>p {}</style >b", "a\nb"),
        ("a<script>if (a < b) {}</script>b", "a\nb"),
        ("a<title>t</title>b", "a\nb"),
        ("a<style>open", "a\n"),
        ("a<!-- open", "a\n"),
        ("a<p open", "a\n"),
        ("1 < 2 <3", "1 < 2 <3"),
        ("a<img alt='x > y' src=z>b", "a\nb"),
        ("a<p title=it's>b's", "a\nb's"),
        ("<!doctype html><?xml?>a", "\na"),
    ],
)
def test_html_to_text(markup: str, text: str) -> None:
    assert html_to_text(markup) == text


def test_it_stops_when_there_is_enough() -> None:
    assert html_to_text("<p>one<p>two<p>three", 4) == "\none\ntwo\n"
    assert html_to_text("<p>one<p>two", 100) == "\none\ntwo"


@pytest.mark.parametrize(
    ("markup", "length"),
    [
        ("abc", 3),
        ("abc<p", 3),
        ("abc<p>", 6),
        ("abc<p title='a>b", 3),
        ("abc<p title= a>b", 16),
        ("a < b", 5),
        ("a<", 2),
        ('<a href="x"><b', 12),
        ('<a href="x', 0),
        ("", 0),
    ],
)
def test_outside_tags(markup: str, length: int) -> None:
    assert outside_tags(markup) == length
