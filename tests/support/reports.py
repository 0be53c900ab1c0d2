"""Messages that report what became of others, as other hosts write them (RFC 3464, RFC 8098)."""

from __future__ import annotations

from collections.abc import Sequence

FAILED = "Action: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 Nobody of that name"
DELIVERED = "Action: delivered\r\nStatus: 2.0.0"


def report(
    kind: str, fields: str, *, to: str, sender: str = "<>", original: str = "", text: str = "See below."
) -> bytes:
    """A multipart/report with a part of the type message/`kind` that has these fields."""
    report_type = kind.replace("global-", "")
    third = f"--b\r\nContent-Type: message/rfc822\r\n\r\n{original}\r\n" if original else ""
    return (
        f"From: Mail Delivery <mailer-daemon@example.org>\r\nTo: {to}\r\nSubject: Report\r\n"
        "Date: Fri, 20 Nov 2026 10:00:00 +0100\r\nMIME-Version: 1.0\r\n"
        f'Content-Type: multipart/report; report-type={report_type}; boundary="b"\r\n\r\n'
        f"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
        f"--b\r\nContent-Type: message/{kind}\r\n\r\n{fields}\r\n{third}--b--\r\n"
    ).encode()


def delivery_report(
    recipients: Sequence[tuple[str, str]], *, to: str, envelope_id: str | None = None
) -> bytes:
    """A DSN about recipients: (address, further fields) of each."""
    head = "Reporting-MTA: dns; mx.example.org\r\n"
    if envelope_id is not None:
        head += f"Original-Envelope-Id: {envelope_id}\r\n"
    groups = [f"Final-Recipient: rfc822; {address}\r\n{fields}\r\n" for address, fields in recipients]
    return report("delivery-status", "\r\n".join([head, *groups]), to=to)


def disposition_report(
    recipient: str, *, to: str, kind: str = "displayed", fields: str = "", original: str = ""
) -> bytes:
    """An MDN of a recipient; `fields` are further ones, each with its CRLF."""
    return report(
        "disposition-notification",
        f"Reporting-UA: joes-pc.cs.example.com; Foomail 97.1\r\nFinal-Recipient: rfc822; {recipient}\r\n"
        f"Original-Message-ID: <199509192301.23456@example.org>\r\n{fields}"
        f"Disposition: manual-action/MDN-sent-manually; {kind}\r\n",
        to=to,
        original=original,
    )
