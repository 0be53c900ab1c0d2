"""EmailSubmission/set create (RFC 8621 §7, §7.5): what is sent, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts import provisioning
from accounts.access import AccountAccess
from mail.types.capability import submission_value
from tests.protocol.EmailSubmission.sending import (
    draft,
    envelope,
    get,
    identity,
    letter,
    submit,
    submitted,
)
from tests.protocol.post import add, roles, thread_of
from tests.support.cast import Cast
from tests.support.client import CORE, MAIL, JMAPClient

QUEUED = {"smtpReply": "250 2.1.5 Queued", "delivered": "queued", "displayed": "unknown"}

pytestmark = pytest.mark.rfc("8621", "7.5")


def moment(text: str) -> datetime:
    """The moment of a UTCDate."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def refused(client: JMAPClient, email_id: str, **properties: Any) -> dict[str, Any]:
    """The SetError of one create; nothing is stored."""
    answer = submit(client, email_id, **properties)
    assert (answer["created"], answer["newState"]) == (None, answer["oldState"])
    assert client.call("EmailSubmission/get", {"ids": None})["list"] == []
    error = answer["notCreated"]["new"]
    assert isinstance(error, dict)
    return error


@pytest.mark.rfc("8621", "7")
def test_all_of_a_submission(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email = draft(client)
    before = datetime.now(UTC).replace(microsecond=0)
    created = submit(client, email, envelope=envelope(client, "bob@example.org"))["created"]["new"]
    stored = get(client, created["id"])
    assert stored == {
        "id": created["id"],
        "identityId": identity(client),
        "emailId": email,
        "threadId": thread_of(client, email),
        "envelope": envelope(client, "bob@example.org"),
        "sendAt": created["sendAt"],
        "undoStatus": "pending",
        "deliveryStatus": {"bob@example.org": QUEUED},
        "dsnBlobIds": [],
        "mdnBlobIds": [],
    }
    assert before <= moment(created["sendAt"]) <= datetime.now(UTC)


def test_a_sender_spelt_as_aerc_spells_it_is_taken(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    right = envelope(client, "bob@example.org")
    given = {"mailfrom": {"email": right["mailFrom"]["email"]}, "rcptTo": [{"email": "bob@example.org"}]}
    assert get(client, submitted(client, draft(client), envelope=given))["envelope"] == right


def test_the_answer_tells_what_the_client_did_not_send(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    created = submit(client, draft(client))["created"]["new"]
    stored = get(client, created["id"])
    assert created == {name: value for name, value in stored.items() if name not in ("identityId", "emailId")}


@pytest.mark.rfc("8621", "7")
def test_the_envelope_is_made_of_the_message(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    fields = (
        "Cc: Bob <BOB@example.org>, Friends: carl@example.org, dan@example.org;\r\n"
        "Bcc: eve@example.org\r\nCc: finn@example.org\r\n"
    )
    made = get(client, submitted(client, draft(client, "Bob <bob@example.org>", fields=fields)))["envelope"]
    names = ["bob", "carl", "dan", "eve", "finn"]
    assert made == envelope(client, *(f"{name}@example.org" for name in names))


@pytest.mark.rfc("8621", "7")
def test_the_sender_field_goes_before_the_from_field(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    alias = provisioning.add_alias(f"sales@{cast.north_domain.name}", cast.alice.account).address
    both = client.call("Identity/get", {"ids": None})["list"]
    of_alias = next(each["id"] for each in both if each["email"] == alias)
    email = draft(client, fields=f"Sender: {alias}\r\n")
    made = [
        get(client, submitted(client, email, identityId=each))["envelope"]["mailFrom"]["email"]
        for each in (of_alias, identity(client))
    ]
    # "If the address found from this is not allowed by the Identity …, the "email" property from the Identity MUST be used"
    assert made == [alias, cast.alice.address]


@pytest.mark.rfc("8621", "6")
def test_an_identity_for_a_domain_is_for_every_free_address_in_it(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    provisioning.set_catch_all(cast.north_domain, cast.alice.account)
    wildcard = client.call("Identity/get", {"ids": None})["list"][1]["id"]
    own, theirs = f"anything@{cast.north_domain.name}", cast.bob.address
    of_own, of_theirs = add(client, letter(own)), add(client, letter(theirs, number=2))
    sent = get(client, submitted(client, of_own, identityId=wildcard))
    error = submit(client, of_theirs, identityId=wildcard)["notCreated"]["new"]
    assert (sent["envelope"]["mailFrom"]["email"], error) == (own, {"type": "forbiddenFrom"})


def test_an_identity_for_a_domain_is_no_return_address(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    second = provisioning.add_domain(cast.north, f"second-{cast.north_domain.name}")
    provisioning.set_catch_all(second, cast.alice.account)
    wildcard = client.call("Identity/get", {"ids": None})["list"][1]["id"]
    assert refused(client, draft(client), identityId=wildcard) == {"type": "forbiddenMailFrom"}


def test_recipients_that_are_the_same_get_it_once(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    given = envelope(client, "bob@example.org", "Bob@EXAMPLE.org", "carl@example.org")
    created = submit(client, draft(client), envelope=given)["created"]["new"]
    assert created["envelope"] == envelope(client, "bob@example.org", "carl@example.org")
    assert list(created["deliveryStatus"]) == ["bob@example.org", "carl@example.org"]


def test_parameters_that_are_left_out_are_null(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    given = {"mailFrom": {"email": cast.alice.address}, "rcptTo": [{"email": "bob@example.org"}]}
    made = submit(client, draft(client), envelope=given)["created"]["new"]["envelope"]
    assert made == envelope(client, "bob@example.org")


@pytest.mark.rfc("8621", "7")
def test_the_return_address_may_be_empty(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    given = {
        "mailFrom": {"email": "", "parameters": None},
        "rcptTo": [{"email": "bob@example.org", "parameters": None}],
    }
    assert get(client, submitted(client, draft(client), envelope=given))["envelope"] == given


@pytest.mark.rfc("8620", "5.3")
def test_an_email_of_an_earlier_call_is_named_by_its_creation_id(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    blob_id = client.upload(letter(cast.alice.address))["blobId"]
    inbox = client.call("Mailbox/get", {"ids": None})["list"][0]["id"]
    answers = client.request(
        [
            "Email/import",
            {
                "accountId": client.account_id,
                "emails": {"mail": {"blobId": blob_id, "mailboxIds": {inbox: True}}},
            },
            "0",
        ],
        [
            "Identity/set",
            {"accountId": client.account_id, "create": {"me": {"email": cast.alice.address}}},
            "1",
        ],
        [
            "EmailSubmission/set",
            {
                "accountId": client.account_id,
                "create": {"new": {"emailId": "#mail", "identityId": "#me"}},
            },
            "2",
        ],
    )["methodResponses"]
    stored = get(client, answers[2][1]["created"]["new"]["id"])
    assert stored["emailId"] == answers[0][1]["created"]["mail"]["id"]
    assert stored["identityId"] == answers[1][1]["created"]["me"]["id"]


@pytest.mark.parametrize(
    ("properties", "names"),
    [
        ({"emailId": "e999999"}, ["emailId"]),
        ({"emailId": "m1"}, ["emailId"]),
        ({"emailId": None}, ["emailId"]),
        ({"emailId": "#nothing"}, ["emailId"]),
        ({"identityId": "i999999"}, ["identityId"]),
        ({"identityId": 5}, ["identityId"]),
        ({"identityId": "i999999", "emailId": "e999999"}, ["emailId", "identityId"]),
        ({"threadId": "t1"}, ["threadId"]),
        ({"sendAt": "2030-01-01T00:00:00Z"}, ["sendAt"]),
        ({"deliveryStatus": None}, ["deliveryStatus"]),
        ({"undoStatus": "canceled"}, ["undoStatus"]),
        ({"undoStatus": "gone"}, ["undoStatus"]),
        ({"dsnBlobIds": []}, ["dsnBlobIds"]),
        ({"priority": 1}, ["priority"]),
    ],
)
def test_what_cannot_be_names_its_properties(
    cast: Cast, properties: dict[str, Any], names: list[str]
) -> None:
    client = JMAPClient(cast.alice)
    assert refused(client, draft(client), **properties) == {"type": "invalidProperties", "properties": names}


@pytest.mark.rfc("8621", "7")
def test_the_server_sets_the_status_of_a_new_submission(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    created = submit(client, draft(client), undoStatus="final")["created"]["new"]
    assert (created["undoStatus"], get(client, created["id"])["undoStatus"]) == ("pending", "pending")


@pytest.mark.parametrize("missing", ["identityId", "emailId"])
def test_both_ids_must_be_given(cast: Cast, missing: str) -> None:
    client = JMAPClient(cast.alice)
    given = {"identityId": identity(client), "emailId": draft(client)}
    del given[missing]
    answer = client.call("EmailSubmission/set", {"create": {"new": given}})
    assert answer["notCreated"] == {"new": {"type": "invalidProperties", "properties": [missing]}}


@pytest.mark.rfc("8621", "7")
@pytest.mark.parametrize(
    "given",
    [
        "bob@example.org",
        {},
        {"mailFrom": {"email": "x"}},
        {"rcptTo": []},
        {"mailFrom": None, "rcptTo": []},
        {"mailFrom": {"email": "x"}, "rcptTo": [{"email": None}]},
        {"mailFrom": {"email": "x"}, "rcptTo": ["bob@example.org"]},
        {"mailFrom": {"email": "x"}, "rcptTo": [], "size": 1},
        {"mailFrom": {"email": "x", "parameters": []}, "rcptTo": []},
        {"mailFrom": {"email": "x"}, "mailfrom": {"email": "x"}, "rcptTo": []},
        {"mailfrom": None, "rcptTo": []},
    ],
)
def test_what_is_no_envelope_is_invalid(cast: Cast, given: Any) -> None:
    client = JMAPClient(cast.alice)
    error = refused(client, draft(client), envelope=given)
    assert error == {"type": "invalidProperties", "properties": ["envelope"]}


@pytest.mark.parametrize(
    "parameters",
    [
        {"FUTURE": "1"},
        {"HOLDFOR": None},
        {"HOLDFOR": "-1"},
        {"HOLDFOR": "1\r\nRCPT TO:<eve@example.org>"},
        {"HOLDFOR": "2592001"},
        {"HOLDFOR": "1", "holdfor": "2"},
        {"HOLDFOR": "1", "HOLDUNTIL": "2030-01-01T00:00:00Z"},
        {"HOLDUNTIL": "tomorrow"},
        {"HOLDUNTIL": "9999-01-01T00:00:00Z"},
        {"RET": "ALL"},
        {"ENVID": "a\nb"},
        {"ENVID": "x" * 101},
        {"SMTPUTF8": "yes"},
        {"SIZE": "big"},
        {"BODY": "BINARYMIME"},
        {"AUTH": "<>"},
        {"NOTIFY": "NEVER"},
        {"": None},
    ],
)
def test_parameters_that_no_extension_has_are_invalid(cast: Cast, parameters: dict[str, Any]) -> None:
    client = JMAPClient(cast.alice)
    given = envelope(client, "bob@example.org", **parameters)
    error = refused(client, draft(client), envelope=given)
    assert error == {"type": "invalidProperties", "properties": ["envelope"]}


@pytest.mark.parametrize(
    "parameters",
    [
        {"NOTIFY": "ALWAYS"},
        {"NOTIFY": "NEVER,SUCCESS"},
        {"ORCPT": "bob@example.org"},
        {"ORCPT": "rfc822;bob@example.org\r\nDATA"},
        {"HOLDFOR": "1"},
    ],
)
def test_recipients_have_parameters_of_their_own(cast: Cast, parameters: dict[str, Any]) -> None:
    client = JMAPClient(cast.alice)
    given = envelope(client)
    given["rcptTo"] = [{"email": "bob@example.org", "parameters": parameters}]
    error = refused(client, draft(client), envelope=given)
    assert error == {"type": "invalidProperties", "properties": ["envelope"]}


def test_parameters_of_the_extensions_are_kept(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    sender = {"RET": "HDRS", "ENVID": "QQ314159", "SIZE": "200", "BODY": "8BITMIME", "smtputf8": None}
    given = envelope(client, **sender)
    recipient = {"NOTIFY": "SUCCESS,FAILURE", "ORCPT": "rfc822;Bob@example.org"}
    given["rcptTo"] = [{"email": "bob@example.org", "parameters": recipient}]
    assert get(client, submitted(client, draft(client), envelope=given))["envelope"] == given


@pytest.mark.rfc("8621", "7")
def test_hold_for_delays(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    before = datetime.now(UTC).replace(microsecond=0)
    given = envelope(client, "bob@example.org", HOLDFOR="3600")
    stored = get(client, submitted(client, draft(client), envelope=given))
    delay = moment(stored["sendAt"]) - before
    assert timedelta(seconds=3600) <= delay <= timedelta(seconds=3660)
    assert (stored["undoStatus"], stored["envelope"]) == ("pending", given)


@pytest.mark.rfc("8621", "7")
def test_hold_until_names_the_moment(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    until = (datetime.now(UTC) + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    given = envelope(client, "bob@example.org", HOLDUNTIL=until)
    assert get(client, submitted(client, draft(client), envelope=given))["sendAt"] == until


def test_hold_until_a_moment_that_has_passed_delays_nothing(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    before = datetime.now(UTC).replace(microsecond=0)
    given = envelope(client, "bob@example.org", HOLDUNTIL="2020-01-01T00:00:00Z")
    assert moment(get(client, submitted(client, draft(client), envelope=given))["sendAt"]) >= before


def test_nobody_to_send_to(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email = draft(client, "", fields="To: undisclosed-recipients:;\r\n")
    assert refused(client, email) == {"type": "noRecipients"}
    assert refused(client, email, envelope=envelope(client)) == {"type": "noRecipients"}


def test_too_many_to_send_to(cast: Cast, settings: Any) -> None:
    settings.MAIL_MAX_RECIPIENTS = 2
    client = JMAPClient(cast.alice)
    email = draft(client, "a@example.org, b@example.org", fields="Cc: c@example.org\r\n")
    assert refused(client, email) == {"type": "tooManyRecipients", "maxRecipients": 2}
    given = envelope(client, *(f"r{number}@example.org" for number in range(30)))
    assert refused(client, email, envelope=given) == {"type": "tooManyRecipients", "maxRecipients": 2}


INVALID = [
    "bob",
    "bob@",
    "@example.org",
    "bob@example.org\r\nDATA",
    "bob carl@example.org",
    "bob@[192.0.2.1]",
    "",
]


def test_recipients_to_whom_nothing_can_be_sent(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    given = envelope(client, "carl@example.org", *INVALID)
    error = refused(client, draft(client), envelope=given)
    assert error == {"type": "invalidRecipients", "invalidRecipients": INVALID}


def test_recipients_of_the_message_are_judged_too(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email = draft(client, "bob@example.org, nowhere")
    assert refused(client, email) == {"type": "invalidRecipients", "invalidRecipients": ["nowhere"]}


@pytest.mark.parametrize("recipient", ['"bob carl"@example.org', "bob@bücher.example", "zoë@example.org"])
def test_unusual_recipients(cast: Cast, recipient: str) -> None:
    client = JMAPClient(cast.alice)
    stored = get(client, submitted(client, draft(client), envelope=envelope(client, recipient)))
    assert list(stored["deliveryStatus"]) == [recipient]


@pytest.mark.rfc("8621", "9.6")
def test_a_return_address_of_somebody_else(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email = draft(client)
    for address in (
        cast.bob.address,
        "x@example.org",
        "alice",
        f"{cast.alice.address}\r\nRCPT TO:<x@y.example>",
    ):
        given = envelope(client, "bob@example.org")
        given["mailFrom"]["email"] = address
        assert refused(client, email, envelope=given) == {"type": "forbiddenMailFrom"}


@pytest.mark.rfc("8621", "9.6")
def test_a_message_of_somebody_else(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email = add(client, letter(cast.bob.address))
    error = refused(client, email, envelope=envelope(client, "bob@example.org"))
    assert error == {"type": "forbiddenFrom"}


def test_a_sender_field_of_somebody_else(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email = draft(client, fields=f"Sender: {cast.bob.address}\r\n")
    assert refused(client, email) == {"type": "forbiddenFrom"}


def test_an_alias_that_is_gone_is_no_sender_any_more(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    alias = provisioning.add_alias(f"sales@{cast.north_domain.name}", cast.alice.account)
    email = add(client, letter(alias.address))
    provisioning.remove_alias(alias)
    assert refused(client, email) == {"type": "forbiddenFrom"}


@pytest.mark.parametrize(
    ("head", "properties"),
    [
        ("", ["from"]),
        ("From: nobody\r\n", ["from"]),
        ("From: {own}\r\nFrom: {own}\r\n", ["from"]),
        ("From: {own}, {own}\r\n", ["from"]),
        ("From: {own}\r\nSender: {own}\r\nSender: {own}\r\n", ["sender"]),
        ("From: {own}\r\nSender: {own}, {own}\r\n", ["sender"]),
        ("From: {own}, {own}\r\nSender: nobody\r\n", ["sender"]),
        ("Sender: {own}, {own}\r\n", ["from", "sender"]),
    ],
)
def test_a_message_that_does_not_say_who_it_is_from(cast: Cast, head: str, properties: list[str]) -> None:
    client = JMAPClient(cast.alice)
    raw = (
        f"{head.format(own=cast.alice.address)}To: bob@example.org\r\nSubject: Hello\r\n\r\nText\r\n".encode()
    )
    error = refused(client, add(client, raw))
    assert error == {"type": "invalidEmail", "properties": properties}


def test_several_authors_with_one_sender(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    own = cast.alice.address
    raw = f"From: {own}, {own.replace('@', '+x@')}\r\nSender: {own}\r\nTo: bob@example.org\r\n\r\nText\r\n".encode()
    assert get(client, submitted(client, add(client, raw)))["envelope"] == envelope(client, "bob@example.org")


def test_a_header_without_an_end(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email = draft(client, fields="".join(f"X-Field-{number}: {'x' * 900}\r\n" for number in range(1_200)))
    assert refused(client, email) == {"type": "invalidEmail", "properties": ["headers"]}


def test_a_field_without_an_end(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email = draft(client, ",\r\n ".join(f"r{number}@example.org" for number in range(15_000)))
    assert refused(client, email) == {"type": "invalidEmail", "properties": ["to"]}


def test_a_message_that_is_too_large(cast: Cast, settings: Any) -> None:
    settings.MAIL_MAX_SIZE_SUBMISSION = 100
    client = JMAPClient(cast.alice)
    assert refused(client, draft(client)) == {"type": "tooLarge", "maxSize": 100}


def test_each_create_is_judged_by_itself(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    good, bad = draft(client), add(client, letter("eve@example.org", number=2))
    own = identity(client)
    creates = {
        "good": {"identityId": own, "emailId": good},
        "bad": {"identityId": own, "emailId": bad},
        "again": {"identityId": own, "emailId": good, "envelope": envelope(client, "carl@example.org")},
        "worse": {"identityId": own, "emailId": good, "envelope": envelope(client)},
    }
    answer = client.call("EmailSubmission/set", {"create": creates})
    assert sorted(answer["created"]) == ["again", "good"]
    assert answer["notCreated"] == {"bad": {"type": "forbiddenFrom"}, "worse": {"type": "noRecipients"}}


@pytest.mark.rfc("8620", "5.3")
def test_nothing_is_sent_where_the_state_is_another(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    given = {"new": {"identityId": identity(client), "emailId": draft(client)}}
    answer = client.error("EmailSubmission/set", {"ifInState": "nonsense", "create": given})
    assert answer == {"type": "stateMismatch"}
    assert client.call("EmailSubmission/get", {"ids": None})["list"] == []


def test_mail_opens_it_too(cast: Cast) -> None:
    call = ["EmailSubmission/get", {"accountId": cast.alice.account_id, "ids": None}, "0"]
    (answer,) = JMAPClient(cast.alice).request(call, using=[CORE, MAIL])["methodResponses"]
    assert answer[0] == "EmailSubmission/get"


@pytest.mark.rfc("8621", "1.4")
def test_who_may_write_but_not_send(cast: Cast) -> None:
    alice, bob = JMAPClient(cast.alice), JMAPClient(cast.bob)
    given = {"new": {"identityId": identity(alice), "emailId": draft(alice)}}
    arguments = {"accountId": cast.alice.account_id, "create": given}
    assert bob.error("EmailSubmission/set", arguments) == {"type": "accountNotSupportedByMethod"}
    provisioning.grant_access(cast.alice.account, cast.bob.user, may_send_as=True)
    assert list(bob.call("EmailSubmission/set", arguments)["created"]) == ["new"]
    (stored,) = alice.call("EmailSubmission/get", {"ids": None})["list"]
    assert stored["envelope"]["mailFrom"]["email"] == cast.alice.address


def test_ids_of_another_account_are_not_found(cast: Cast) -> None:
    alice, charlie = JMAPClient(cast.alice), JMAPClient(cast.charlie)
    for _ in range(3):
        email = draft(alice)
    error = refused(charlie, email, identityId=identity(charlie))
    assert error == {"type": "invalidProperties", "properties": ["emailId"]}


@pytest.mark.rfc("8621", "1.3.2")
def test_an_extension_that_is_switched_off_has_no_parameters(cast: Cast, settings: Any) -> None:
    settings.MAIL_SUBMISSION_EXTENSIONS = {"DSN": []}
    client = JMAPClient(cast.alice)
    held, returned = (
        envelope(client, "bob@example.org", **each) for each in ({"HOLDFOR": "60"}, {"RET": "FULL"})
    )
    email = draft(client)
    assert refused(client, email, envelope=held) == {"type": "invalidProperties", "properties": ["envelope"]}
    assert submit(client, email, envelope=returned)["notCreated"] is None


@pytest.mark.rfc("8621", "1.3.2")
def test_without_future_release_nothing_is_delayed(cast: Cast, settings: Any) -> None:
    settings.MAIL_SUBMISSION_EXTENSIONS = {"DSN": []}
    person = cast.alice
    access = AccountAccess(person.account.pk, person.user.pk, person.address, True, False, True)
    assert submission_value(access) == {"maxDelayedSend": 0, "submissionExtensions": {"DSN": []}}


@pytest.mark.rfc("8621", "7.5.1")
def test_a_draft_is_composed_and_sent_by_one_request(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    boxes = roles(client)
    email = {
        "mailboxIds": {boxes["drafts"]: True},
        "keywords": {"$draft": True},
        "from": [{"name": "Alice", "email": cast.alice.address}],
        "to": [{"name": "Zoë", "email": "zoe@example.org"}],
        "bcc": [{"name": None, "email": "secret@example.org"}],
        "subject": "Grüße",
        "bodyValues": {"1": {"value": "Hello"}},
        "textBody": [{"partId": "1", "type": "text/plain"}],
    }
    sent = {
        f"mailboxIds/{boxes['drafts']}": None,
        f"mailboxIds/{boxes['sent']}": True,
        "keywords/$draft": None,
    }
    create = {"new": {"emailId": "#mail", "identityId": identity(client)}}
    answers = client.request(
        ["Email/set", {"accountId": client.account_id, "create": {"mail": email}}, "0"],
        [
            "EmailSubmission/set",
            {"accountId": client.account_id, "create": create, "onSuccessUpdateEmail": {"#new": sent}},
            "1",
        ],
    )["methodResponses"]
    number = answers[0][1]["created"]["mail"]["id"]
    assert [(answer[0], answer[2]) for answer in answers[1:]] == [
        ("EmailSubmission/set", "1"),
        ("Email/set", "1"),
    ]
    assert answers[2][1]["updated"] == {number: None}
    stored = get(client, answers[1][1]["created"]["new"]["id"])
    assert (stored["emailId"], stored["envelope"]) == (
        number,
        envelope(client, "zoe@example.org", "secret@example.org"),
    )
