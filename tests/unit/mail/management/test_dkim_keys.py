"""The commands that make and retire keys."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command

from mail.models import DkimKey
from tests.support.cast import Cast


def run(*arguments: str) -> tuple[str, str]:
    """What a command prints, and what it says beside that."""
    out, err = io.StringIO(), io.StringIO()
    call_command(*arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_a_key_is_made_and_its_record_printed(cast: Cast) -> None:
    domain = cast.north_domain.name
    out, err = run("create_dkim_key", domain.upper())
    [key] = DkimKey.objects.filter(domain=domain)
    assert out.startswith(f'{key.selector}._domainkey.{domain}. IN TXT ( "v=DKIM1; k=rsa; p=')
    assert all(len(piece) <= 250 for piece in out.split('"')[1::2])
    assert err == ""
    assert b"PRIVATE KEY" not in bytes(key.private_key)


def test_the_older_key_signs_until_it_is_retired(cast: Cast) -> None:
    domain = cast.north_domain.name
    run("create_dkim_key", domain, "--selector", "one")
    _, err = run("create_dkim_key", domain, "--selector", "two")
    assert f"The key one signs until you run: manage.py retire_dkim_key {domain} one" in err
    out, _ = run("retire_dkim_key", domain, "one")
    assert "two signs" in out
    out, _ = run("retire_dkim_key", domain, "two")
    assert "nothing is signed" in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["create_dkim_key", "nowhere.example"], "This service has no domain"),
        (["create_dkim_key", "DOMAIN", "--selector", "Not A Selector"], "is no selector"),
        (["create_dkim_key", "DOMAIN", "--selector", "there"], "has a key with the selector there already"),
        (["retire_dkim_key", "DOMAIN", "missing"], "has no key missing that signs"),
    ],
)
def test_what_cannot_be_done_is_said(cast: Cast, arguments: list[str], sentence: str) -> None:
    domain = cast.north_domain.name
    run("create_dkim_key", domain, "--selector", "there")
    with pytest.raises(CommandError, match=sentence):
        run(*(domain if each == "DOMAIN" else each for each in arguments))


def test_two_keys_of_a_day_have_two_names(cast: Cast) -> None:
    for _ in range(2):
        run("create_dkim_key", cast.north_domain.name)
    first, second = DkimKey.objects.filter(domain=cast.north_domain.name).order_by("pk")
    assert second.selector == f"{first.selector}-2"
