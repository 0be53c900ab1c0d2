"""Every workload, in the order in which they run: what reads first, what makes the account grow last."""

from __future__ import annotations

from bench import reading, writing
from bench.workload import Budget, Workload


def _at_most(milliseconds: float) -> Budget:
    return Budget(cpu_milliseconds=milliseconds)


WORKLOADS: tuple[Workload, ...] = (
    Workload("echo", "Core/echo", reading.echo, _at_most(0.20), 2.0),
    Workload("session", "session GET", reading.session, _at_most(0.30), 2.0),
    Workload("mailboxes", "Mailbox/get of all", reading.all_mailboxes, _at_most(0.40)),
    Workload("inbox", "open inbox", reading.open_inbox, _at_most(1.6), 0.6),
    Workload("message", "open one message", reading.open_message, _at_most(0.70)),
    Workload("download", "download a message", reading.download, _at_most(0.45)),
    Workload("flagged", "query hasKeyword $flagged", reading.query_flagged, _at_most(0.7)),
    Workload("unread", "query unread in inbox", reading.query_unread, _at_most(0.7)),
    Workload("from", "query from", reading.query_from, _at_most(0.7)),
    Workload("search-rare", "search, a word in 0.1 %", reading.search_rare, _at_most(0.8)),
    Workload("search-uncommon", "search, a word in 2 %", reading.search_uncommon, _at_most(1.5)),
    Workload("search-common", "search, a word in 25 %", reading.search_common, _at_most(6.0), 0.4),
    Workload("sync-page", "initial sync, page of 500", reading.initial_sync, _at_most(8.0), 0.2, reading.total),
    Workload("poll", "delta poll, nothing changed", reading.delta_poll, _at_most(0.45), 1.0, reading.states),
    Workload("delta", "delta sync, one change", reading.delta_sync, _at_most(0.80), 1.0,
             reading.states_one_change_ago),
    Workload("query-changes", "Email/queryChanges, one change", reading.query_changes, _at_most(1.0), 1.0,
             reading.query_state_one_change_ago),
    Workload("flip", "flip $seen of one", writing.flip_seen, _at_most(0.90)),
    Workload("set-100", "Email/set of 100", writing.flip_many, _at_most(4.0), 0.2),
    Workload("create", "Email/set create", writing.create_draft, _at_most(3.0), 0.5),
    Workload("import", "upload + import", writing.upload_and_import, Budget(per_second=500), 1.0,
             connections=(4,)),
)  # fmt: skip

BY_NAME = {workload.name: workload for workload in WORKLOADS}
