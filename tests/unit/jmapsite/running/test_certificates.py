"""The certificates of HTTPS=1."""

from __future__ import annotations

import stat
from pathlib import Path

from cryptography import x509

from jmapsite.running.certificates import make_certificates


def test_the_authority_stays_and_keys_are_closed(tmp_path: Path) -> None:
    first = make_certificates(tmp_path, "https://127.0.0.1:8000", host="127.0.0.1")
    authority = first.authority.read_bytes()
    second = make_certificates(tmp_path, "https://127.0.0.1:8000", host="127.0.0.1")
    assert second.authority.read_bytes() == authority
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (second.key, tmp_path / "tls" / "ca-key.pem")]
    assert modes == [0o600, 0o600]


def test_the_certificate_names_the_hosts_of_the_public_urls(tmp_path: Path) -> None:
    files = make_certificates(tmp_path, "https://mail.example", "https://push.example:8443", host="127.0.0.1")
    certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert sorted(names.get_values_for_type(x509.DNSName)) == ["localhost", "mail.example", "push.example"]
    assert sorted(map(str, names.get_values_for_type(x509.IPAddress))) == ["127.0.0.1", "::1"]
