"""TLS for `make run HTTPS=1`: a certificate authority made once, and a certificate of it for each run."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files below VAR_DIR/tls, PEM:

    the authority's certificate to trust, the server's certificate, chain and key.
    """

    authority: Path
    certificate: Path
    chain: Path
    key: Path


def make_certificates(var_dir: Path, *urls: str, host: str) -> Certificates:
    """The certificate authority of VAR_DIR, made where it is missing, and a new server certificate for these
    names.

    Names: this machine's own, `host`, and those of the URLs. Keys have mode 0600.
    """
    directory = var_dir / "tls"
    directory.mkdir(mode=0o711, exist_ok=True)
    authority, authority_key = directory / "ca.pem", directory / "ca-key.pem"
    if authority.exists() and authority_key.exists():
        maker = trustme.CA.from_pem(authority.read_bytes(), authority_key.read_bytes())
    else:
        maker = trustme.CA(
            organization_name="jmapsite", organization_unit_name="certificates for this machine"
        )
        _write(authority_key, maker.private_key_pem.bytes(), 0o600)
        _write(authority, maker.cert_pem.bytes(), 0o644)
    names = {*LOCAL_NAMES, host, *(urlsplit(url).hostname or host for url in urls)}
    issued = maker.issue_cert(*sorted(names), common_name="jmapsite")
    made = Certificates(
        authority, directory / "server.pem", directory / "server-chain.pem", directory / "server-key.pem"
    )
    certificates = [pem.bytes() for pem in issued.cert_chain_pems]
    _write(made.key, _pkcs8(issued.private_key_pem.bytes()), 0o600)
    _write(made.certificate, certificates[0], 0o644)
    _write(made.chain, b"".join(certificates), 0o644)
    return made


def _pkcs8(key: bytes) -> bytes:
    """The same key in the form that both servers read."""
    return load_pem_private_key(key, None).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(path: Path, content: bytes, mode: int) -> None:
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    part.replace(path)
