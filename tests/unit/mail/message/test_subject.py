"""Base subjects."""

import pytest

from mail.message.subject import base_subject


@pytest.mark.parametrize(
    ("subject", "base"),
    [
        ("Lunch", "Lunch"),
        ("Re: Lunch", "Lunch"),
        ("re : RE[2]: Fwd: fw: Lunch", "Lunch"),
        ("Re(3): Lunch", "Lunch"),
        ("Re^2: Lunch", "Lunch"),
        ("AW: WG: Antw: SV: VS: TR: RV: RIF: R: I: Odp: YNT: Ref: Lunch", "Lunch"),
        ("回复: 答复： 转发: Lunch", "Lunch"),
        ("[list] Re: [list] Lunch", "Lunch"),
        ("Re: [list] [other] Lunch (fwd) (FWD)", "Lunch"),
        ("Re [list]: Lunch", "Lunch"),
        ("[Fwd: Re: Lunch]", "Lunch"),
        ("Re: [fwd: [list] Lunch (fwd)]", "Lunch"),
        ("[list]", "[list]"),
        ("Re: [list]", "[list]"),
        ("  Lunch\t at \r\n noon ", "Lunch at noon"),
        ("Re:", ""),
        ("", ""),
        ("Reply: Lunch", "Reply: Lunch"),
        ("Ireland: Lunch", "Ireland: Lunch"),
        ("[unclosed Lunch", "[unclosed Lunch"),
    ],
)
def test_base_subject(subject: str, base: str) -> None:
    assert base_subject(subject) == base
