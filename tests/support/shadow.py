"""The shadow client: follows every account by /changes and /queryChanges alone, and must equal a fresh fetch.

It listens to the commits of the write path, so it looks after each method call of a test, and after what other parts write.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

import orjson

from accounts.access import AccountAccess, Caller
from accounts.models import Account
from jmapcore.edge import RequestLog
from jmapcore.protocol.schema import CHANGES, GET, QUERY, QUERY_CHANGES, ObjectType
from jmapcore.registry import registry
from jmapcore.store.write import after_commit
from jmapcore.views import run_request

PAGE = 3
"""maxChanges of its /changes calls: small, so that paging is followed too."""

QUERIES: dict[str, list[dict[str, Any]]] = {
    "Email": [
        {"sort": [{"property": "receivedAt", "isAscending": False}]},
        {"sort": [{"property": "receivedAt", "isAscending": False}], "collapseThreads": True},
        {"filter": {"hasKeyword": "$seen"}, "sort": [{"property": "size"}]},
        {"filter": {"text": "hello"}, "collapseThreads": True},
        {
            "filter": {"notKeyword": "$seen"},
            "sort": [{"property": "hasKeyword", "keyword": "$flagged", "isAscending": False}],
            "collapseThreads": True,
        },
    ],
    "EmailSubmission": [
        {"sort": [{"property": "sendAt", "isAscending": False}]},
        {"filter": {"undoStatus": "pending"}, "sort": [{"property": "emailId"}, {"property": "threadId"}]},
    ],
}


@dataclass
class _Followed:
    """What the shadow knows of one type."""

    state: str
    records: dict[str, Any]
    queries: list[tuple[dict[str, Any], str, list[str]]] = field(default_factory=list)


class Shadow:
    """Follows one account as its owner."""

    def __init__(self, account: Account) -> None:
        owner = account.owner
        access = AccountAccess(account.pk, owner.pk, owner.address, True, False, True)
        scopes = frozenset(each.scope for each in registry.capabilities.values() if each.scope)
        self.caller = Caller(owner.pk, account.tenant_id, owner.address, "shadow", scopes, (access,))
        self.account_id = f"a{account.pk}"
        self.types = [declared for declared in registry.types.values() if {GET, CHANGES} <= declared.methods]
        self.known = {declared.name: self._fresh(declared) for declared in self.types}
        # Of these the state alone tells that something changed.
        self.fetched_anew = [
            declared
            for declared in registry.types.values()
            if GET in declared.methods
            and CHANGES not in declared.methods
            and declared.has_account
            and declared.has_state
        ]
        self.seen = {declared.name: self._fresh(declared) for declared in self.fetched_anew}

    def _call(self, name: str, **arguments: Any) -> dict[str, Any]:
        body = {
            "using": list(registry.capabilities),
            "methodCalls": [[name, {"accountId": self.account_id, **arguments}, "s"]],
        }
        answer = orjson.loads(b"".join(run_request(orjson.dumps(body), self.caller, RequestLog())))
        [[response, result, _]] = answer["methodResponses"]
        assert response == name, (name, arguments, result)
        assert isinstance(result, dict)
        return result

    def _fresh(self, declared: ObjectType) -> _Followed:
        fetched = self._call(f"{declared.name}/get", ids=None)
        followed = _Followed(fetched["state"], {record["id"]: record for record in fetched["list"]})
        if {QUERY, QUERY_CHANGES} <= declared.methods:
            for query in self._queries(declared):
                result = self._call(f"{declared.name}/query", **query)
                assert result["canCalculateChanges"] is True
                followed.queries.append((query, result["queryState"], result["ids"]))
        return followed

    @staticmethod
    def _queries(declared: ObjectType) -> list[dict[str, Any]]:
        plain = [
            {"sort": [{"property": name}]} for name, sort in declared.sorts.items() if not sort.arguments
        ]
        return QUERIES.get(declared.name, [{}, *plain])

    def follow(self, *, after_each_write: bool = True) -> None:
        """Catch up by /changes and /queryChanges, and compare with a fresh fetch of everything.

        After several writes a record may be again what it was, in another state.
        """
        for declared in self.types:
            followed = self.known[declared.name]
            self._follow_records(declared, followed)
            followed.queries = [self._follow_query(declared, *query) for query in followed.queries]
            fresh = self._fresh(declared)
            assert followed.state == fresh.state, f"{declared.name}: state"
            assert followed.records == fresh.records, f"{declared.name}: records"
            for mine, other in zip(followed.queries, fresh.queries, strict=True):
                assert mine == other, f"{declared.name}: query {mine[0]}"
        for declared in self.fetched_anew:
            before, after = self.seen[declared.name], self._fresh(declared)
            same = (before.state == after.state, before.records == after.records)
            there_and_back = () if after_each_write else ((False, True),)
            assert same in {(True, True), (False, False), *there_and_back}, f"{declared.name}: state"
            self.seen[declared.name] = after

    def _follow_records(self, declared: ObjectType, followed: _Followed) -> None:
        while True:
            changes = self._call(f"{declared.name}/changes", sinceState=followed.state, maxChanges=PAGE)
            assert changes["oldState"] == followed.state
            moved = [*changes["created"], *changes["updated"], *changes["destroyed"]]
            assert len(moved) == len(set(moved)) <= PAGE
            assert not set(changes["created"]) & set(followed.records), "created again"
            assert set(changes["updated"]) <= set(followed.records), "updated before it was created"
            for gone in changes["destroyed"]:
                followed.records.pop(gone, None)
            if changes["created"] or changes["updated"]:
                self._refresh(declared, followed, changes)
            followed.state = changes["newState"]
            if not changes["hasMoreChanges"]:
                return

    def _refresh(self, declared: ObjectType, followed: _Followed, changes: dict[str, Any]) -> None:
        properties = changes.get("updatedProperties") if not changes["created"] else None
        ids = [*changes["created"], *changes["updated"]]
        fetched = self._call(f"{declared.name}/get", ids=ids, properties=properties)
        for record in fetched["list"]:
            followed.records[record["id"]] = {**followed.records.get(record["id"], {}), **record}
        # Destroyed meanwhile: a later page says so.
        for gone in fetched["notFound"]:
            followed.records.setdefault(gone, {})

    def _follow_query(
        self, declared: ObjectType, query: dict[str, Any], state: str, ids: list[str]
    ) -> tuple[dict[str, Any], str, list[str]]:
        changes = self._call(
            f"{declared.name}/queryChanges", sinceQueryState=state, calculateTotal=True, **query
        )
        removed = set(changes["removed"])
        cached = [each for each in ids if each not in removed]
        indexes = [added["index"] for added in changes["added"]]
        assert indexes == sorted(indexes)
        for added in changes["added"]:
            cached.insert(added["index"], added["id"])
        assert len(cached) == changes["total"], f"{declared.name}: total of {query}"
        return query, changes["newQueryState"], cached


class Shadows:
    """The shadows of some accounts, called at every commit until closed."""

    def __init__(self, accounts: list[Account]) -> None:
        self.shadows = {account.pk: Shadow(account) for account in accounts}
        self._lock = threading.Lock()
        self._behind: set[int] = set()
        after_commit.append(self._committed)

    def _committed(self, account_id: int, types: dict[str, int]) -> None:
        if account_id in self.shadows:
            self._behind.add(account_id)

    def follow(self) -> None:
        """Let the shadow of every account that was written catch up."""
        with self._lock:
            behind, self._behind = self._behind, set()
            for account_id in sorted(behind):
                self.shadows[account_id].follow()

    def close(self) -> None:
        """Stop listening."""
        after_commit.remove(self._committed)
