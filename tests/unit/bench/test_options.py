"""The command line."""

from __future__ import annotations

import pytest

from bench.options import PeerOptions, parse


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


def test_no_peer_unless_named() -> None:
    assert parse([]).peer is None


def test_a_peer() -> None:
    options = parse(
        ["--peer", "http://localhost:8180/jmap/", "--peer-user", "reader", "--peer-password", "secret"]
    )
    assert options.peer == PeerOptions(
        "http://localhost:8180/jmap/", "reader", "secret", "cyrmaster", "httpd", 3
    )


def test_a_peer_of_one_process() -> None:
    options = parse(["--peer", "http://localhost/", "--peer-user", "reader", "--peer-processes", "jmapd"])
    assert options.peer is not None
    assert (options.peer.first_process, options.peer.answering_process) == ("jmapd", "jmapd")


def test_a_peer_without_a_user_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--peer", "http://localhost/"])
    assert "--peer needs --peer-user" in capsys.readouterr().err
