"""EmailSubmission/set: undoing, destroying, and the Emails afterwards (RFC 8621 §7.5)."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
import pytest

from jmapcore.blobs.sweep import sweep
from jmapcore.store.database import connection, execute, read
from tests.protocol.EmailSubmission.sending import draft, envelope, get, identity, submit, submitted
from tests.protocol.post import add, message, reply, roles, thread_of
from tests.protocol.post import get as get_email
from tests.support.cast import Cast
from tests.support.client import JMAPClient

pytestmark = pytest.mark.rfc("8621", "7.5")

CLAIM = """
    UPDATE submission_queue SET attempts = attempts + 1, leased_until = now() + interval '5 minutes'
    WHERE account_id = %s AND id = (SELECT id FROM submission_queue
        WHERE account_id = %s AND due_at <= now() AND leased_until IS NULL FOR UPDATE SKIP LOCKED LIMIT 1)
    RETURNING id"""


def number(submission_id: str) -> int:
    """The number in an id."""
    return int(submission_id[1:])


def queued(client: JMAPClient) -> list[int]:
    """What is still to be delivered, read as the sweep across accounts reads it."""
    account = client.person.account.pk
    with connection() as lent:
        sql = "SELECT id FROM submission_queue WHERE account_id = %s ORDER BY id"
        return [row[0] for row in execute(lent, sql, (account,))]


def claim(client: JMAPClient) -> list[int]:
    """Claim one that is due, as a delivery does."""
    account = client.person.account.pk
    with connection() as lent:
        return [row[0] for row in execute(lent, CLAIM, (account, account))]


def stored(client: JMAPClient, columns: str) -> list[tuple[Any, ...]]:
    """Columns of every submission, hidden ones too."""
    account = client.person.account.pk
    sql = f"SELECT {columns} FROM email_submission WHERE account_id = %s ORDER BY id"  # noqa: S608  # our own names
    with connection() as lent:
        return read(lent, account, (sql, (account,)))[0]


def cancel(client: JMAPClient, submission_id: str) -> dict[str, Any]:
    """What EmailSubmission/set answers to an undo."""
    return client.call("EmailSubmission/set", {"update": {submission_id: {"undoStatus": "canceled"}}})


def test_a_submission_waits_in_the_queue_until_it_is_due(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    now, later = (
        submitted(client, draft(client)),
        submitted(client, draft(client), envelope=envelope(client, "bob@example.org", HOLDFOR="60")),
    )
    assert queued(client) == [number(now), number(later)]
    assert (claim(client), claim(client)) == ([number(now)], [])


@pytest.mark.rfc("8621", "7")
def test_what_is_pending_can_be_canceled(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    submission = submitted(client, draft(client))
    answer = cancel(client, submission)
    assert list(answer["updated"][submission]) == ["deliveryStatus"]
    after = get(client, submission)
    assert after["undoStatus"] == "canceled"
    assert after["deliveryStatus"]["bob@example.org"]["delivered"] == "no"
    assert (queued(client), claim(client), stored(client, "blob_id")) == ([], [], [(None,)])


def test_what_is_canceled_stays_so(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    submission = submitted(client, draft(client))
    cancel(client, submission)
    again = cancel(client, submission)
    assert (again["updated"], again["newState"]) == ({submission: None}, again["oldState"])
    for status in ("pending", "final"):
        answer = client.call("EmailSubmission/set", {"update": {submission: {"undoStatus": status}}})
        assert answer["notUpdated"] == {
            submission: {"type": "invalidProperties", "properties": ["undoStatus"]}
        }


def test_what_a_delivery_has_claimed_cannot_be_unsent(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    submission = submitted(client, draft(client))
    claim(client)
    answer = cancel(client, submission)
    assert answer["notUpdated"] == {submission: {"type": "cannotUnsend"}}
    assert (get(client, submission)["undoStatus"], queued(client)) == ("pending", [number(submission)])


def test_a_claim_passes_by_what_is_being_canceled(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    submission = submitted(client, draft(client))
    account = cast.alice.account.pk
    with connection() as lent, connection() as other:
        execute(lent, "BEGIN")
        lock = "SELECT id FROM submission_queue WHERE account_id = %s FOR UPDATE"
        assert execute(lent, lock, (account,)).fetchall() == [(number(submission),)]
        assert execute(other, CLAIM, (account, account)).fetchall() == []
        execute(lent, "ROLLBACK")


def test_an_undo_waits_for_a_claim_that_is_on_its_way(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    submission = submitted(client, draft(client))
    account = cast.alice.account.pk
    answers: list[dict[str, Any]] = []
    with connection() as claiming:
        execute(claiming, "BEGIN")
        execute(claiming, CLAIM, (account, account))
        undo = threading.Thread(target=lambda: answers.append(cancel(JMAPClient(cast.alice), submission)))
        undo.start()
        with connection() as watching:
            while not _waits(watching):
                assert undo.is_alive()
        execute(claiming, "COMMIT")
        undo.join()
    assert answers[0]["notUpdated"] == {submission: {"type": "cannotUnsend"}}


def _waits(watching: psycopg.Connection[Any]) -> bool:
    sql = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return bool(execute(watching, sql).fetchall())


@pytest.mark.rfc("8621", "7")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("emailId", "e1"),
        ("identityId", "i1"),
        ("threadId", "t1"),
        ("envelope", None),
        ("sendAt", "2030-01-01T00:00:00Z"),
        ("undoStatus", "final"),
        ("deliveryStatus", {}),
    ],
)
def test_nothing_else_can_be_changed(cast: Cast, name: str, value: Any) -> None:
    client = JMAPClient(cast.alice)
    submission = submitted(client, draft(client))
    before = get(client, submission)
    answer = client.call("EmailSubmission/set", {"update": {submission: {name: value}}})
    assert answer["notUpdated"] == {submission: {"type": "invalidProperties", "properties": [name]}}
    assert get(client, submission) == before


@pytest.mark.rfc("8620", "5.3")
def test_the_whole_object_is_a_patch_that_changes_nothing(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    submission = submitted(client, draft(client))
    answer = client.call("EmailSubmission/set", {"update": {submission: get(client, submission)}})
    assert (answer["updated"], answer["newState"]) == ({submission: None}, answer["oldState"])


def test_destroying_the_record_does_not_stop_the_delivery(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    submission = submitted(client, draft(client))
    answer = client.call("EmailSubmission/set", {"destroy": [submission]})
    assert answer["destroyed"] == [submission]
    assert client.call("EmailSubmission/get", {"ids": [submission]})["notFound"] == [submission]
    assert client.call("EmailSubmission/query")["ids"] == []
    assert (queued(client), stored(client, "is_destroyed")) == ([number(submission)], [(True,)])
    again = client.call(
        "EmailSubmission/set",
        {"destroy": [submission], "update": {submission: {"undoStatus": "canceled"}}},
    )
    assert again["notDestroyed"] == again["notUpdated"] == {submission: {"type": "notFound"}}


def test_what_is_over_goes_for_good(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    submission = submitted(client, draft(client))
    cancel(client, submission)
    client.call("EmailSubmission/set", {"destroy": [submission]})
    assert stored(client, "id") == []


def test_what_a_call_sends_it_cannot_destroy(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    given = {"identityId": identity(client), "emailId": draft(client)}
    answer = client.call("EmailSubmission/set", {"create": {"new": given}, "destroy": ["#new"]})
    assert answer["notDestroyed"] == {"#new": {"type": "forbidden"}}
    assert queued(client) == [number(answer["created"]["new"]["id"])]


def test_destroying_the_email_changes_nothing(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email = draft(client)
    submission = submitted(client, email)
    before, blob_id = get(client, submission), get_email(client, email)["blobId"]
    client.call("Email/set", {"destroy": [email]})
    with connection() as lent:
        execute(lent, "UPDATE blob_sweep SET due_at = now() WHERE account_id = %s", (cast.alice.account.pk,))
    with connection() as lent:
        past = "UPDATE blob_upload SET uploaded_at = now() - interval '2 hours' WHERE account_id = %s"
        account = str(cast.alice.account.pk)
        execute(lent, "BEGIN")
        execute(
            lent,
            "SELECT set_config('jmap.account', %s, true), set_config('jmap.writing', %s, true)",
            (account, account),
        )
        execute(lent, past, (cast.alice.account.pk,))
        execute(lent, "COMMIT")
    sweep()
    assert (get(client, submission), queued(client)) == (before, [number(submission)])
    assert client.download(blob_id).status_code == 200
    assert client.call("Email/get", {"ids": [before["emailId"]]})["notFound"] == [email]


@pytest.mark.rfc("8621", "3")
def test_an_email_that_gets_another_id_is_followed(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    # Two in one Thread, and one alone, which a reply to both joins to them under a new id.
    add(client, message(1))
    add(client, reply(2, 1))
    own = f"From: {cast.alice.address}\r\nTo: x@example.org\r\nSubject: Hello\r\nMessage-ID: <m9@example.org>\r\n\r\nText\r\n"
    email = add(client, own.encode())
    submission = submitted(client, email)
    both = "In-Reply-To: <m1@example.org>\r\nReferences: <m1@example.org> <m9@example.org>\r\n"
    add(client, message(3, subject="Re: Hello", fields=both))
    after = get(client, submission)
    assert client.call("Email/get", {"ids": [email]})["notFound"] == [email]
    assert after["threadId"] == thread_of(client, after["emailId"])
    assert get_email(client, after["emailId"])["messageId"] == ["m9@example.org"]


def sent(client: JMAPClient, email: str, **arguments: Any) -> list[list[Any]]:
    """Every response to an EmailSubmission/set that submits an Email as `new`."""
    given = {"identityId": identity(client), "emailId": email}
    return client.responses("EmailSubmission/set", {"create": {"new": given}, **arguments})


def test_the_email_is_changed_once_it_is_submitted(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    boxes = roles(client)
    email = draft(client)
    patch = {
        f"mailboxIds/{boxes['drafts']}": None,
        f"mailboxIds/{boxes['sent']}": True,
        "keywords/$draft": None,
    }
    first, second = sent(client, email, onSuccessUpdateEmail={"#new": patch})
    assert [first[0], second[0]] == ["EmailSubmission/set", "Email/set"]
    assert first[2] == second[2] == "c"
    assert (second[1]["accountId"], second[1]["updated"]) == (client.account_id, {email: None})
    after = get_email(client, email)
    assert (after["mailboxIds"], after["keywords"]) == ({boxes["sent"]: True}, {})


def test_the_email_is_destroyed_once_it_is_submitted(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email = draft(client)
    _, second = sent(client, email, onSuccessDestroyEmail=["#new"])
    assert (second[0], second[1]["destroyed"]) == ("Email/set", [email])
    assert len(queued(client)) == 1


def test_nothing_follows_what_fails(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email = draft(client, "")
    responses = sent(client, email, onSuccessUpdateEmail={"#new": {"keywords/$seen": True}})
    assert [response[0] for response in responses] == ["EmailSubmission/set"]
    assert responses[0][1]["notCreated"] == {"new": {"type": "noRecipients"}}
    assert get_email(client, email)["keywords"] == {"$draft": True}


@pytest.mark.parametrize("nothing", [None, {}, {"s999999": {"keywords": {}}}, {"#old": {"keywords": {}}}])
def test_nothing_follows_what_is_not_of_this_call(cast: Cast, nothing: Any) -> None:
    client = JMAPClient(cast.alice)
    responses = sent(client, draft(client), onSuccessUpdateEmail=nothing, onSuccessDestroyEmail=["s1"])
    assert [response[0] for response in responses] == ["EmailSubmission/set"]


def test_an_email_follows_an_update_and_a_destroy_too(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    emails = [draft(client, number=each) for each in (1, 2)]
    canceled, destroyed = (submitted(client, email) for email in emails)
    responses = client.responses(
        "EmailSubmission/set",
        {
            "update": {canceled: {"undoStatus": "canceled"}},
            "destroy": [destroyed],
            "onSuccessUpdateEmail": {canceled: {"keywords/$flagged": True}},
            "onSuccessDestroyEmail": [destroyed],
        },
    )
    assert responses[1][1]["updated"] == {emails[0]: None}
    assert responses[1][1]["destroyed"] == [emails[1]]


def test_an_error_of_the_email_is_told_where_it_is(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email = draft(client)
    first, second = sent(client, email, onSuccessUpdateEmail={"#new": {"mailboxIds": {"m999999": True}}})
    assert list(first[1]["created"]) == ["new"]
    assert second[1]["notUpdated"] == {email: {"type": "invalidProperties", "properties": ["mailboxIds"]}}


def test_several_submissions_of_one_email_make_one_patch(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    given = {"identityId": identity(client), "emailId": draft(client)}
    _, second = client.responses(
        "EmailSubmission/set",
        {
            "create": {"a": given, "b": {**given, "envelope": envelope(client, "carl@example.org")}},
            "onSuccessUpdateEmail": {"#a": {"keywords/$draft": None}, "#b": {"keywords/$sent": True}},
        },
    )
    assert second[1]["updated"] == {given["emailId"]: None}
    assert get_email(client, given["emailId"])["keywords"] == {"$sent": True}


def test_mailboxes_of_an_earlier_call_are_named_by_their_creation_ids(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    given = {"identityId": identity(client), "emailId": draft(client)}
    answers = client.request(
        ["Mailbox/set", {"accountId": client.account_id, "create": {"box": {"name": "Out"}}}, "0"],
        [
            "EmailSubmission/set",
            {
                "accountId": client.account_id,
                "create": {"new": given},
                "onSuccessUpdateEmail": {"#new": {"mailboxIds": {"#box": True}}},
            },
            "1",
        ],
    )["methodResponses"]
    box = answers[0][1]["created"]["box"]["id"]
    assert get_email(client, given["emailId"])["mailboxIds"] == {box: True}


@pytest.mark.parametrize(
    "strange",
    [{"onSuccessUpdateEmail": []}, {"onSuccessUpdateEmail": {"s1": None}}, {"onSuccessDestroyEmail": {}}],
)
def test_arguments_of_another_type_are_invalid(cast: Cast, strange: dict[str, Any]) -> None:
    client = JMAPClient(cast.alice)
    assert client.error("EmailSubmission/set", strange) == {"type": "invalidArguments"}


def test_a_submission_of_an_earlier_call_of_the_request_is_named_by_its_creation_id(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    email = draft(client)
    given = {"identityId": identity(client), "emailId": email}
    answers = client.request(
        ["EmailSubmission/set", {"accountId": client.account_id, "create": {"new": given}}, "0"],
        [
            "EmailSubmission/set",
            {
                "accountId": client.account_id,
                "update": {"#new": {"undoStatus": "canceled"}},
                "onSuccessUpdateEmail": {"#new": {"keywords/$flagged": True}},
            },
            "1",
        ],
    )["methodResponses"]
    assert [answer[0] for answer in answers] == ["EmailSubmission/set", "EmailSubmission/set", "Email/set"]
    assert get(client, answers[0][1]["created"]["new"]["id"])["undoStatus"] == "canceled"
    assert get_email(client, email)["keywords"] == {"$draft": True, "$flagged": True}


def test_the_rows_say_who_submitted_what(cast: Cast) -> None:
    client = JMAPClient(cast.alice)
    submit(client, draft(client))
    (row,) = stored(client, "user_id, blob_id IS NOT NULL, is_destroyed, envelope -> 'mailFrom' ->> 'email'")
    assert row == (cast.alice.user.pk, True, False, cast.alice.address)
