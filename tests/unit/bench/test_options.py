"""The command line."""

from __future__ import annotations

import pytest

from bench.options import parse


def test_defaults() -> None:
    options = parse([])
    assert (options.messages, options.connections, options.only, options.keep) == (10_000, (1, 4), (), False)


def test_names_with_commas_and_repeated() -> None:
    assert parse(["--only", "echo,inbox", "--only", "memory"]).only == ("echo", "inbox", "memory")


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--only", "ecco"])
    assert "there is no workload 'ecco'" in capsys.readouterr().err


def test_help_lists_every_workload(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--help"])
    said = capsys.readouterr().out
    assert "open inbox                       1.60 ms" in said
    assert "stalled" in said
