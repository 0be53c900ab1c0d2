"""Large and slow transfers: what memory they cost, and whether anybody else notices."""

from __future__ import annotations

import json
import random
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench.catalogue import BY_NAME
from bench.exchange import RefusedError, Request
from bench.measuring import Bench, Measurement, Refusal
from bench.processor_time import memory, reset_peak
from bench.target import Target, connect

LARGE = 50_000_000
WARM = 2_000_000
TIMES = 3
STALLED = 16
STALLED_LENGTH = 10_000_000
STALLED_BEGINNING = 100_000
MOST_ADDED = 10_000_000
MOST_WORKER = 150_000_000


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """Octets of memory of the web workers: at the end, and what a transfer of 50 MB added to one at its peak."""

    workers: list[int]
    upload_added: int
    upload_seconds: float
    download_added: int
    download_seconds: float

    @property
    def holds(self) -> bool:
        """Whether the bounds are kept: 150 MB for a worker, 10 MB for a transfer."""
        added = max(self.upload_added, self.download_added)
        return max(self.workers) < MOST_WORKER and added < MOST_ADDED


@dataclass(frozen=True, slots=True)
class Stalled:
    """Core/echo on one connection alone, and beside 16 uploads and 16 downloads that do not get on.

    `uploads` and `downloads` are how many of them the service really took on.
    """

    uploads: int
    downloads: int
    alone: Measurement | Refusal
    beside: Measurement | Refusal


def measure_memory(bench: Bench) -> MemoryUse:
    """Upload and download 50 MB, some times over, and see what the workers take. Raises `RefusedError`, `OSError`."""
    chance = random.Random(bench.seed)
    for _ in range(8):
        # New connections, so that each worker has done it once: code that is loaded then is no cost of the transfer.
        blob_id = upload(bench.target, chance.randbytes(WARM))
        download(bench.target, blob_id)
    uploads, downloads = [], []
    for _ in range(TIMES):
        data = chance.randbytes(LARGE)
        with _peaks(bench) as added:
            blob_id = upload(bench.target, data)
        uploads.append(added)
        with _peaks(bench) as added:
            download(bench.target, blob_id)
        downloads.append(added)
    workers = [memory(worker)["resident"] for worker in bench.processes.web_workers()]
    return MemoryUse(
        workers,
        max(int(added["octets"]) for added in uploads),
        min(added["seconds"] for added in uploads),
        max(int(added["octets"]) for added in downloads),
        min(added["seconds"] for added in downloads),
    )


@contextmanager
def _peaks(bench: Bench) -> Iterator[dict[str, float]]:
    """Fills in by how many octets a worker grew within the block at most, and how many seconds it took."""
    found: dict[str, float] = {}
    workers = bench.processes.web_workers()
    for worker in workers:
        reset_peak(worker)
    before = {worker: memory(worker)["resident"] for worker in workers}
    began = time.perf_counter()
    yield found
    found["seconds"] = time.perf_counter() - began
    found["octets"] = max(memory(worker)["peak"] - before[worker] for worker in workers)


def upload(target: Target, data: bytes) -> str:
    """Upload octets to the account; the blob's wire id. Raises `RefusedError`, `OSError`."""
    connection = connect(target)
    try:
        path = target.addresses.upload_to(target.account_id)
        response = connection.exchange(Request("POST", path, data, "application/octet-stream"))
        if (refusal := response.refusal()) is not None:
            raise RefusedError(refusal)
        blob_id: str = json.loads(response.body)["blobId"]
        return blob_id
    finally:
        connection.close()


def download(target: Target, blob_id: str) -> None:
    """Download a blob and throw it away. Raises `RefusedError`, `OSError`."""
    connection = connect(target)
    try:
        response = connection.exchange(Request("GET", _download_path(target, blob_id)))
        if response.status != 200:
            raise RefusedError(f"HTTP {response.status}")
    finally:
        connection.close()


def _download_path(target: Target, blob_id: str) -> str:
    return target.addresses.download_of(target.account_id, blob_id, "large", "application/octet-stream")


def measure_stalled(bench: Bench) -> Stalled:
    """Core/echo alone and beside stalled transfers. Raises `RefusedError`, `OSError`."""
    echo = BY_NAME["echo"]
    blob_id = upload(bench.target, random.Random(bench.seed).randbytes(LARGE))
    alone = bench.measure(echo, 1)
    sockets = [_stalled_upload(bench.target, number) for number in range(STALLED)]
    sockets += [_stalled_download(bench.target, blob_id) for _ in range(STALLED)]
    try:
        # Until every one of them has reached its worker.
        time.sleep(1.0)
        taken = [_is_open(connection) for connection in sockets]
        beside = bench.measure(echo, 1)
    finally:
        for connection in sockets:
            connection.close()
    return Stalled(sum(taken[:STALLED]), sum(taken[STALLED:]), alone, beside)


def _open(target: Target) -> socket.socket:
    connection = socket.socket()
    # Small, so that the rest of a body has to wait on the other side.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    connection.connect((target.host, target.port))
    return connection


def _stalled_upload(target: Target, number: int) -> socket.socket:
    account_id, authorization = target.slow_users[number % len(target.slow_users)]
    connection = _open(target)
    head = (
        f"POST /jmap/upload/{account_id}/ HTTP/1.1\r\nHost: {target.host}\r\nAuthorization: {authorization}\r\n"
        f"Content-Type: application/octet-stream\r\nContent-Length: {STALLED_LENGTH}\r\n\r\n"
    )
    connection.sendall(head.encode("ascii") + bytes(STALLED_BEGINNING))
    return connection


def _stalled_download(target: Target, blob_id: str) -> socket.socket:
    connection = _open(target)
    head = (
        f"GET {_download_path(target, blob_id)} HTTP/1.1\r\nHost: {target.host}\r\n"
        f"Authorization: {target.authorization}\r\n\r\n"
    )
    connection.sendall(head.encode("ascii"))
    beginning = connection.recv(4096)
    if not beginning.startswith(b"HTTP/1.1 200 "):
        raise RefusedError(beginning.split(b"\r\n", 1)[0].decode("utf-8", "replace"))
    return connection


def _is_open(connection: socket.socket) -> bool:
    """Whether a transfer is under way: an upload that was refused has an answer waiting, a download never says it ended."""
    connection.setblocking(False)
    try:
        waiting = connection.recv(16, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    return bool(waiting) and not waiting.startswith(b"HTTP/1.1 4") and not waiting.startswith(b"HTTP/1.1 5")
