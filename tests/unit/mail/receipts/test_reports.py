"""Reading reports: what real hosts write, and what nobody in good faith does."""

from __future__ import annotations

import time

import pytest

from mail.message.scan import scan
from mail.receipts.reports import (
    MOST_FIELDS,
    MOST_RECIPIENTS,
    DeliveryReport,
    DispositionReport,
    ReportedRecipient,
    read_report,
    typed_address,
)
from tests.support.reports import DELIVERED, FAILED, delivery_report, disposition_report, report

TO = "alice@example.com"


def delivery(raw: bytes) -> DeliveryReport:
    found = read_report(scan(raw))
    assert isinstance(found, DeliveryReport)
    return found


def disposition(raw: bytes) -> DispositionReport:
    found = read_report(scan(raw))
    assert isinstance(found, DispositionReport)
    return found


def test_a_delivery_report_tells_of_each_recipient() -> None:
    raw = delivery_report(
        [("bob@example.org", FAILED), ("carol@example.org", DELIVERED)], to=TO, envelope_id="q7"
    )
    assert delivery(raw) == DeliveryReport(
        "q7",
        (
            ReportedRecipient("", "bob@example.org", "failed", "5.1.1", "550 5.1.1 Nobody of that name"),
            ReportedRecipient("", "carol@example.org", "delivered", "2.0.0", ""),
        ),
    )


def test_postfix_and_its_comments_are_understood() -> None:
    fields = (
        "Reporting-MTA: dns; mail.example.org\nX-Postfix-Queue-ID: 4F1\nOriginal-Envelope-Id: abc\n\n"
        "Final-Recipient: rfc822; Bob@Example.org\nOriginal-Recipient: rfc822;bob@example.org\nAction: FAILED (really)\n"
        "Status: 5.1.1 (bad destination)\nRemote-MTA: dns; mx.example.org\n"
        "Diagnostic-Code: smtp; 550-5.1.1 No such\n    user\n"
    )
    found = delivery(report("delivery-status", fields, to=TO))
    assert found == DeliveryReport(
        "abc",
        (
            ReportedRecipient(
                "bob@example.org", "Bob@Example.org", "failed", "5.1.1", "550-5.1.1 No such user"
            ),
        ),
    )


def test_a_host_that_forgets_the_empty_line_is_understood() -> None:
    fields = "Reporting-MTA: dns; x\r\nFinal-Recipient: rfc822; bob@example.org\r\nAction: failed\r\nStatus: 5.0.0\r\n"
    assert [each.final for each in delivery(report("delivery-status", fields, to=TO)).recipients] == [
        "bob@example.org"
    ]


@pytest.mark.parametrize("kind", ["delivery-status", "global-delivery-status"])
def test_an_address_may_be_utf_8(kind: str) -> None:
    fields = "Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: utf-8; jörg@bücher.example\r\nAction: failed\r\n"
    assert delivery(report(kind, fields, to=TO)).recipients[0].final == "jörg@bücher.example"


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("rfc822; bob@example.org", "bob@example.org"),
        ("RFC822;<bob@example.org>", "bob@example.org"),
        ("rfc822 ; bob@example.org (Bob)", "bob@example.org"),
        ("bob@example.org", "bob@example.org"),
        ('rfc822; "a;b"@example.org', '"a;b"@example.org'),
        ("", ""),
    ],
)
def test_a_type_is_taken_off_an_address(value: str, address: str) -> None:
    assert typed_address(value) == address


@pytest.mark.rfc("9007", "2")
def test_a_disposition_report_is_read_whole() -> None:
    fields = (
        "Original-Recipient: rfc822;joe@example.com\r\nMDN-Gateway: dns; gate.example\r\nError: =?utf-8?q?schl=C3=A9cht?=\r\n"
        "Error: again\r\nX-Mood: good\r\nx-mood: bad\r\n"
    )
    raw = disposition_report("joe@example.com", to=TO, fields=fields, original="Subject: x\r\n\r\ny")
    assert disposition(raw) == DispositionReport(
        action_mode="manual-action",
        sending_mode="mdn-sent-manually",
        type="displayed",
        reporting_ua="joes-pc.cs.example.com; Foomail 97.1",
        mdn_gateway="dns; gate.example",
        original_recipient="rfc822;joe@example.com",
        final_recipient="rfc822; joe@example.com",
        original_message_id="<199509192301.23456@example.org>",
        errors=("schlécht", "again"),
        extensions={"X-Mood": "good", "x-mood": "bad"},
        has_original=True,
    )


@pytest.mark.parametrize(
    "value",
    [
        "automatic-action/MDN-sent-automatically; processed/error",
        "AUTOMATIC-ACTION / mdn-sent-automatically ;\r\n processed/warning,error (by us)",
    ],
)
def test_dispositions_come_in_any_case_with_modifiers_and_comments(value: str) -> None:
    raw = report("disposition-notification", f"Disposition: {value}\r\n", to=TO)
    found = disposition(raw)
    assert (found.action_mode, found.sending_mode, found.type) == (
        "automatic-action",
        "mdn-sent-automatically",
        "processed",
    )


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"Subject: x\r\n\r\ny",
        b"Content-Type: multipart/report\r\n\r\n",
        report("delivery-status", "Reporting-MTA: dns; x\r\n", to=TO),
        report("disposition-notification", "Disposition: manual-action/MDN-sent-manually; denied\r\n", to=TO),
        report("disposition-notification", "Final-Recipient: rfc822; joe@example.com\r\n", to=TO),
        report("plain", "Action: failed\r\n", to=TO),
        delivery_report([("bob@example.org", FAILED)], to=TO).replace(
            b"multipart/report", b"multipart/mixed"
        ),
    ],
)
def test_what_is_no_report_says_nothing(raw: bytes) -> None:
    assert read_report(scan(raw)) is None


def test_of_ten_thousand_recipients_some_are_looked_at() -> None:
    raw = delivery_report([(f"u{number}@example.org", FAILED) for number in range(10_000)], to=TO)
    assert len(delivery(raw).recipients) == MOST_RECIPIENTS


def test_of_ten_thousand_fields_some_are_kept() -> None:
    fields = "".join(f"X-{number}: {'y' * 3_000}\r\n" for number in range(500))
    raw = report(
        "disposition-notification",
        "Disposition: manual-action/MDN-sent-manually; deleted\r\n" + fields,
        to=TO,
    )
    found = disposition(raw)
    assert len(found.extensions) == MOST_FIELDS - 1
    assert {len(value) for value in found.extensions.values()} == {2_000}


@pytest.mark.parametrize(
    "fields",
    [
        "\r\n" * 2_000_000,
        "\r\n\r\nx" * 1_000_000,
        "Action: failed\r\n\r\n" * 300_000,
        "Final-Recipient: " + "(" * 4_000_000,
        "Disposition: " + "manual-action/" * 300_000,
        "Final-Recipient: rfc822; " + "a " * 2_000_000 + ")",
        "a:\r\n " * 1_000_000,
    ],
    ids=["lines", "groups", "actions", "parentheses", "dispositions", "spaces", "fields"],
)
@pytest.mark.parametrize("kind", ["delivery-status", "disposition-notification"])
def test_no_report_takes_long(kind: str, fields: str) -> None:
    message = scan(report(kind, fields, to=TO))
    began = time.process_time()
    read_report(message)
    assert time.process_time() - began < 1
