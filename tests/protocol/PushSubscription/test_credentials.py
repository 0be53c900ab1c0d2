"""Subscriptions live as long as the credential that made them (RFC 8620 §7.2)."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import set_token_value

from accounts import provisioning
from accounts.credentials import create_access_token, create_app_password
from accounts.lasting import lasting, lasting_standing
from accounts.models import AccessToken, Application, AppPassword, RefreshToken
from jmapcore.store.database import connection, run
from push.subscriptions import vapid_keys
from push.subscriptions.vapid_keys import rotate
from push.tasks import sweep_subscriptions
from tests.protocol.PushSubscription.subscribing import call, create, deliver, rows, subscribe, update
from tests.support.cast import Cast, Person, basic, make_person
from tests.support.client import JMAPClient
from tests.support.push_receiver import Receiver

VAPID = "urn:ietf:params:jmap:webpush-vapid"


def change(client: JMAPClient, name: str = "New") -> None:
    """Make a mailbox, as somebody whose credential lasts."""
    JMAPClient(client.person).call("Mailbox/set", {"create": {"m": {"name": name}}})


class SignedIn:
    """A person signed in through OAuth: an access token, and a refresh token behind it."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.application = Application.objects.create(
            name="client",
            client_type=Application.CLIENT_PUBLIC,
            authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
            redirect_uris="https://client.example/",
        )
        access, self.access_token = create_access_token(person.user)
        access.application = self.application
        access.save()
        self.refresh_token = f"refresh-{uuid.uuid4()}"
        refresh = RefreshToken(
            user=person.user, application=self.application, access_token=access, token_family=uuid.uuid4()
        )
        set_token_value(refresh, self.refresh_token)
        refresh.save()

    @property
    def client(self) -> JMAPClient:
        """A client with the access token of the moment."""
        return JMAPClient(self.person, f"Bearer {self.access_token}")

    def refresh(self) -> None:
        """Exchange the refresh token for another pair (RFC 6749 §6)."""
        given = {
            "grant_type": "refresh_token",
            "refresh_token": self.refresh_token,
            "client_id": self.application.client_id,
        }
        response = Client().post("/o/token/", given)
        assert response.status_code == 200, response.content
        self.access_token, self.refresh_token = (
            response.json()["access_token"],
            response.json()["refresh_token"],
        )


@pytest.mark.rfc("8620", "7.2")
def test_a_subscription_is_tied_to_the_refresh_token(cast: Cast, receiver: Receiver) -> None:
    signed_in, other = SignedIn(cast.alice), SignedIn(cast.alice)
    made, url = subscribe(signed_in.client, receiver)
    # It has no end of its own here, so the subscription is bounded.
    assert call(signed_in.client, "get", ids=None)["list"][0]["expires"] is not None
    signed_in.refresh()
    assert [each["id"] for each in call(signed_in.client, "get", ids=None)["list"]] == [made]
    assert call(other.client, "get", ids=None)["list"] == []
    sweep_subscriptions()
    change(signed_in.client)
    deliver(signed_in.client)
    assert len(receiver.to(url)) == 1


@pytest.mark.rfc("8620", "7.2")
@pytest.mark.parametrize("swept", [True, False])
def test_a_revoked_refresh_token_takes_its_subscriptions_along(
    cast: Cast, receiver: Receiver, swept: bool
) -> None:
    signed_in = SignedIn(cast.alice)
    _, url = subscribe(signed_in.client, receiver)
    signed_in.refresh()
    for token in RefreshToken.objects.filter(application=signed_in.application):
        token.revoke()
    change(signed_in.client)
    if swept:
        sweep_subscriptions()
        assert rows(signed_in.client) == []
    deliver(signed_in.client)
    assert (rows(signed_in.client), receiver.to(url)) == ([], [])


@pytest.mark.rfc("8620", "7.2")
@pytest.mark.parametrize("swept", [True, False])
def test_an_access_token_alone_ends(cast: Cast, receiver: Receiver, swept: bool) -> None:
    token, secret = create_access_token(cast.alice.user)
    client = JMAPClient(cast.alice, f"Bearer {secret}")
    _, url = subscribe(client, receiver)
    AccessToken.objects.filter(pk=token.pk).update(expires=timezone.now() - timedelta(seconds=1))
    change(client)
    if swept:
        sweep_subscriptions()
        assert rows(client) == []
    deliver(client)
    assert (rows(client), receiver.to(url)) == ([], [])


@pytest.mark.rfc("8620", "7.2")
@pytest.mark.parametrize("swept", [True, False])
def test_an_app_password_takes_its_subscriptions_along(cast: Cast, receiver: Receiver, swept: bool) -> None:
    password, secret = create_app_password(cast.alice.user, "one")
    client = JMAPClient(cast.alice, basic(cast.alice.address, secret))
    staying = JMAPClient(cast.alice, cast.alice.basic)
    _, url = subscribe(client, receiver)
    _, of_staying = subscribe(staying, receiver)
    AppPassword.objects.get(pk=password.pk).delete()
    change(client)
    if swept:
        sweep_subscriptions()
        assert len(rows(client)) == 1
    deliver(client)
    assert (len(receiver.to(url)), len(receiver.to(of_staying)), len(rows(client))) == (0, 1, 1)


@pytest.mark.rfc("8620", "7.2")
@pytest.mark.parametrize("swept", [True, False])
def test_another_account_password_ends_the_subscriptions_of_the_old_one(
    cast: Cast, receiver: Receiver, swept: bool
) -> None:
    person = make_person(cast.north_domain, "Passworded", password="correct horse battery")
    client = JMAPClient(person, basic(person.address, "correct horse battery"))
    _, url = subscribe(client, receiver)
    sweep_subscriptions()
    assert len(rows(client)) == 1
    provisioning.set_password(person.user, "another horse battery")
    newer = JMAPClient(person, basic(person.address, "another horse battery"))
    assert call(newer, "get", ids=None)["list"] == []
    change(client)
    if swept:
        sweep_subscriptions()
        assert rows(client) == []
    deliver(client)
    assert (rows(client), receiver.to(url)) == ([], [])


def test_a_second_factor_ends_those_of_the_password_alone(cast: Cast, receiver: Receiver) -> None:
    person = make_person(cast.north_domain, "Factored", password="correct horse battery")
    client = JMAPClient(person, basic(person.address, "correct horse battery"))
    subscribe(client, receiver)
    person.user.has_second_factor = True
    person.user.save()
    sweep_subscriptions()
    assert rows(client) == []


@pytest.mark.parametrize("whom", ["user", "tenant"])
def test_nothing_is_pushed_to_the_suspended(cast: Cast, receiver: Receiver, whom: str) -> None:
    client = JMAPClient(cast.alice, cast.alice.basic)
    _, url = subscribe(client, receiver)
    change(client)

    def suspend(is_suspended: bool) -> None:
        if whom == "user":
            provisioning.set_user_suspended(cast.alice.user, is_suspended)
        else:
            provisioning.set_tenant_suspended(cast.north, is_suspended)

    suspend(True)
    deliver(client)
    sweep_subscriptions()
    assert (receiver.to(url), len(rows(client))) == ([], 1)
    suspend(False)
    deliver(client)
    assert len(receiver.to(url)) == 1


def test_a_deleted_user_leaves_nothing(cast: Cast, receiver: Receiver) -> None:
    person = make_person(cast.north_domain, "Leaving")
    client = JMAPClient(person)
    subscribe(client, receiver)
    pk = person.user.pk
    provisioning.delete_user(person.user)
    with connection() as lent:
        for table in ("push_subscription", "push_creation"):
            [result] = run(lent, (f"SELECT count(*) FROM {table} WHERE user_id = %s", (pk,)))  # noqa: S608
            assert result.fetchall() == [(0,)]


@pytest.mark.rfc("8620", "7.2")
@pytest.mark.parametrize("swept", [True, False])
def test_an_expired_subscription_gets_nothing(cast: Cast, receiver: Receiver, swept: bool) -> None:
    client = JMAPClient(cast.alice, cast.alice.basic)
    made, url = subscribe(client, receiver)
    change(client)
    with connection() as lent:
        run(
            lent,
            ("UPDATE push_subscription SET expires_at = now() WHERE user_id = %s", (cast.alice.user.pk,)),
        )
    assert call(client, "get", ids=[made])["notFound"] == [made]
    assert update(client, made, expires=None) == {"type": "notFound"}
    if swept:
        sweep_subscriptions()
    deliver(client)
    assert (rows(client), receiver.to(url)) == ([], [])


@pytest.mark.rfc("9749", "3")
@pytest.mark.rfc("9749", "5")
def test_a_rotated_key_changes_the_session_and_serves_what_was_made_with_it(
    cast: Cast, receiver: Receiver
) -> None:
    client = JMAPClient(cast.alice, cast.alice.basic)
    _, older = subscribe(client, receiver)
    before = client.session()
    response = client.request(["Core/echo", {}, "c"])
    assert response["sessionState"] == before["state"]
    rotate()
    after = client.session()
    assert after["state"] != before["state"]
    assert client.request(["Core/echo", {}, "c"])["sessionState"] == after["state"]
    keys = [each["capabilities"][VAPID]["applicationServerKey"] for each in (before, after)]
    assert keys[0] != keys[1]
    _, newer = subscribe(client, receiver)
    change(client)
    deliver(client)
    signed = [receiver.to(url)[0].headers["Authorization"].rpartition("k=")[2] for url in (older, newer)]
    assert signed == keys
    # When its time is over, what was made with the old key goes with it.
    sql = (
        "UPDATE push_vapid_key SET retired_at = now() - make_interval(days => %s::int) WHERE public_key = %s"
    )
    with connection() as lent:
        run(lent, (sql, (vapid_keys.GRACE_DAYS + 1, keys[0])))
    sweep_subscriptions()
    assert len(rows(client)) == 1
    assert len(call(client, "get", ids=None)["list"]) == 1


def test_the_condition_of_the_sweep_agrees_with_the_look_before_a_push(
    cast: Cast, receiver: Receiver
) -> None:
    signed_in = SignedIn(cast.alice)
    for client in (signed_in.client, JMAPClient(cast.alice), JMAPClient(cast.alice, cast.alice.basic)):
        create(client, receiver.subscribe())
    sweep_subscriptions()
    assert len(rows(JMAPClient(cast.alice))) == 3
    with connection() as lent:
        token = AccessToken.objects.filter(user=cast.alice.user).order_by("id").first()
        assert token is not None
        found = lasting(lent, f"token:{token.pk}")
        assert found.has_end
        standing = lasting_standing(lent, cast.alice.user.pk, found.name)
        assert standing is not None
        assert standing.caller is not None
        assert [each.account_id for each in standing.caller.accounts] == [cast.alice.account.pk]
        assert lasting_standing(lent, cast.bob.user.pk, found.name) is None
        assert lasting_standing(lent, cast.alice.user.pk, "token:999999999") is None
        assert lasting_standing(lent, cast.alice.user.pk, f"family:{uuid.uuid4()}") is None


def test_what_nobody_verifies_is_taken_away(cast: Cast, receiver: Receiver) -> None:
    client = JMAPClient(cast.alice)
    create(client, receiver.subscribe())
    deliver(client)
    subscribe(client, receiver)
    with connection() as lent:
        sql = "UPDATE push_subscription SET created_at = now() - interval '49 hours' WHERE user_id = %s"
        run(lent, (sql, (cast.alice.user.pk,)))
    sweep_subscriptions()
    assert [each["verificationCode"] is None for each in call(client, "get", ids=None)["list"]] == [False]
