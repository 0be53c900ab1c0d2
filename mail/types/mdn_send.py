"""MDN/send (RFC 9007 §2.1): tells the sender of a message what became of it at this end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from jmapcore.protocol.errors import ForbiddenSet, InvalidArguments, SetError
from jmapcore.protocol.registry import Method, Response
from jmapcore.protocol.schema import Argument
from jmapcore.protocol.wire import Id, MapOf, Nullable
from jmapcore.standard.bounds import check_objects_in_set
from jmapcore.standard.set import AnyObject, error_documents
from mail.types.capability import MAIL
from mail.types.email import EMAIL
from mail.types.mdn import MDN, GivenMDN, access_of, checked_mdn
from mail.types.mdn_prepare import KEYWORD, Ready, identity_of, prepare_notifications
from mail.types.mdn_write import send_all

if TYPE_CHECKING:
    from accounts.access import AccountAccess
    from jmapcore.context import RequestContext


def send_mdns(context: RequestContext, values: dict[str, Any]) -> Iterator[Response]:
    """Send notifications; then the single Email/set of onSuccessUpdateEmail, in which `$mdnsent` changes nothing any more.

    The keyword is set in the write that queues the notification, under the lock under which it was looked at: no message is
    ever confirmed twice, whoever asks at the same time and whatever is killed in between.
    """
    access = access_of(context, values, write=True)
    check_objects_in_set(len(values["send"]))
    identity = identity_of(context, access, context.resolve_id(values["identityId"]))
    refused: dict[str, SetError] = {}
    given: dict[str, GivenMDN] = {}
    for key, each in values["send"].items():
        try:
            given[key] = checked_mdn(each, context.resolve_id)
        except SetError as error:
            refused[key] = error
    patches = _patches(context, given, values["onSuccessUpdateEmail"] or {})
    if not access.may_send:
        refused |= {key: ForbiddenSet("the caller may not send from this account") for key in given}
        given = {}
    ready = prepare_notifications(context, access, identity, given, refused)
    before, after = send_all(context, access, ready, refused)
    sent = {key: _sent(each, values["send"][key]) for key, each in ready.items() if key not in refused}
    response = {
        "accountId": values["accountId"],
        "sent": sent or None,
        "notSent": error_documents(refused),
    }
    yield "MDN/send", response
    update: dict[str, dict[str, Any]] = {}
    for key in sent:
        update.setdefault(f"e{ready[key].email_id}", {}).update(patches[key])
    if update:
        yield from _update_emails(context, access, values["accountId"], update, before, after)


def _patches(
    context: RequestContext, given: Mapping[str, GivenMDN], asked: Mapping[str, Mapping[str, Any]]
) -> dict[str, Mapping[str, Any]]:
    """The PatchObject for the Email of each notification, by creation id. Raises `InvalidArguments`.

    It is named by `#` and the creation id of the notification, or by the id of the Email. "the server MUST check that the
    "onSuccessUpdateEmail" property of the method is correctly set to update this keyword".
    """
    by_email = {context.resolve_id(key): patch for key, patch in asked.items()}
    found: dict[str, Mapping[str, Any]] = {}
    for key, each in given.items():
        patch = {**by_email.get(each.for_email_id, {}), **asked.get(f"#{key}", {})}
        if not _sets_keyword(patch):
            raise InvalidArguments(f"onSuccessUpdateEmail does not set {KEYWORD} for {key[:100]}")
        found[key] = patch
    return found


def _sets_keyword(patch: Mapping[str, Any]) -> bool:
    whole = patch.get("keywords")
    return patch.get(f"keywords/{KEYWORD}") is True or (
        isinstance(whole, dict) and whole.get(KEYWORD) is True
    )


def _sent(ready: Ready, given: Mapping[str, Any]) -> dict[str, Any]:
    """What the client did not set, or set otherwise: what stands in the notification now."""
    return {name: value for name, value in ready.mdn.items() if name not in given or given[name] != value}


def _update_emails(
    context: RequestContext,
    access: AccountAccess,
    account_id: str,
    update: Mapping[str, Any],
    before: str,
    after: str,
) -> Iterator[Response]:
    """The implicit Email/set. Its oldState is that from before the keyword was set, where nothing happened in between."""
    arguments = {name: argument.default for name, argument in EMAIL.arguments.get("set", {}).items()}
    arguments |= {"accountId": account_id, "ifInState": None, "create": None, "destroy": None}
    for name, response in context.registry.methods["Email/set"].run(context, {**arguments, "update": update}):
        if name == "Email/set" and response.get("oldState") == after:
            response = {**response, "oldState": before}
        yield name, response


MDN_SEND = Method(
    "MDN/send",
    MDN,
    send_mdns,
    {
        "accountId": Argument(Id()),
        "identityId": Argument(Id(to="Identity")),
        "send": Argument(MapOf(Id(), AnyObject())),
        "onSuccessUpdateEmail": Argument(Nullable(MapOf(Id(to="Email"), AnyObject()))),
    },
    # "the latter because of the implicit call to Email/set and the use of Identities" (§2.1)
    also_needs=frozenset({MAIL}),
    writes=True,
)
