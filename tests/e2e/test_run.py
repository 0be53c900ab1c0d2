"""`make run` from outside: started, used, stopped, killed, and started again."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.directories import new_var_dir
from tests.support.ports import port_settings
from tests.support.service import await_no_processes, manage, processes_of, running_service

pytestmark = pytest.mark.e2e

ECHO = {"sessionState": None, "methodResponses": [["Core/echo", {"hello": True}, "0"]]}


@pytest.fixture
def var_dir() -> Iterator[Path]:
    """A VAR_DIR of this test."""
    with new_var_dir() as path:
        yield path


def pasted_curl(printed: list[str]) -> object:
    """What the printed curl line answers when a shell runs it."""
    (line,) = [line for line in printed if line.startswith("curl ")]
    shell = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=True)
    return json.loads(shell.stdout)["methodResponses"]


OLD_TLS = ["--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0"]


def is_answered(port: int, *options: str) -> bool:
    """Whether a port of this machine answers a request over HTTPS with these options of curl."""
    command = ["/usr/bin/env", "curl", "-sk", *options, f"https://localhost:{port}/"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_the_printed_line_works_ctrl_c_stops_all_and_the_data_come_back(var_dir: Path) -> None:
    with running_service(var_dir) as service:
        assert pasted_curl(service.printed) == ECHO["methodResponses"]
        created = manage(var_dir, "create_tenant", "Kept", "--domain", "kept.example")
        assert created.returncode == 0, created.stderr
        assert service.stop() == 0
        assert processes_of(var_dir) == []
    with running_service(var_dir) as service:
        assert pasted_curl(service.printed) == ECHO["methodResponses"]
        asked = manage(
            var_dir, "shell", "--no-imports", "-c",
            "from accounts.models import Tenant; print(Tenant.objects.filter(name='Kept').count())",
        )  # fmt: skip
        assert asked.stdout.strip() == "1"


@pytest.mark.rfc("8620", "1.7")
@pytest.mark.rfc("8620", "8.1")
def test_https_serves_web_and_push_with_the_authority_that_it_prints(var_dir: Path) -> None:
    with running_service(var_dir, HTTPS="1") as service:
        assert pasted_curl(service.printed) == ECHO["methodResponses"]
        authority = str(var_dir / "tls" / "ca.pem")
        assert any(authority in line for line in service.printed)
        push = subprocess.run(
            ["/usr/bin/env", "curl", "-s", "--cacert", authority, "-o", "/dev/null", "-w", "%{http_code}",
             f"https://localhost:{service.push_port}/jmap/eventsource"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert push.stdout == "401"
        ports = (service.port, service.push_port)
        assert [(is_answered(port), is_answered(port, *OLD_TLS)) for port in ports] == [(True, False)] * 2
        assert stat.S_IMODE((var_dir / "tls" / "ca-key.pem").stat().st_mode) == 0o600


def test_push_asks_who_it_is(var_dir: Path) -> None:
    with running_service(var_dir) as service:
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{service.push_port}/jmap/eventsource")
        assert refused.value.code == 401
        refused.value.close()


def test_a_killed_run_leaves_nothing_and_the_next_one_starts(var_dir: Path) -> None:
    with running_service(var_dir) as service:
        service.child.kill()
        service.child.wait()
        assert await_no_processes(var_dir) == []
    with running_service(var_dir) as service:
        assert service.stop() == 0


def test_servers_killed_with_everything_else_recover(var_dir: Path) -> None:
    with running_service(var_dir) as service:
        for server in ("postgresql", "redis"):
            os.kill(int((var_dir / "locks" / f"{server}.pid").read_text()), signal.SIGKILL)
        service.child.kill()
        service.child.wait()
        assert await_no_processes(var_dir) == []
    with running_service(var_dir) as service:
        assert pasted_curl(service.printed) == ECHO["methodResponses"]


def test_a_server_that_dies_ends_the_run_with_a_sentence(var_dir: Path) -> None:
    with running_service(var_dir) as service:
        os.kill(int((var_dir / "locks" / "redis.pid").read_text()), signal.SIGKILL)
        assert service.end() == 1
        assert (
            "CommandError: redis has stopped, so everything stops; its log is in VAR_DIR/log."
            in service.printed
        )
        assert processes_of(var_dir) == []


def test_a_second_run_in_the_same_directory_is_refused(var_dir: Path) -> None:
    with running_service(var_dir):
        second = manage(var_dir, "run", **port_settings())
    assert second.returncode == 1
    assert second.stderr == (
        f"CommandError: This service runs already with VAR_DIR {var_dir}. Stop it first, or name another directory and "
        "other ports: make run VAR_DIR=… PORT=… PUSH_PORT=… LMTP_PORT=…\n"
    )


def test_a_port_in_use_is_said_before_anything_starts(var_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = {**port_settings(), "PORT": str(port)}
        refused = manage(var_dir, "run", **settings)
    assert refused.returncode == 1
    others = " ".join(f"{name}={int(given) + 100}" for name, given in settings.items())
    assert refused.stderr == (
        f"CommandError: PORT {port} cannot be used on 127.0.0.1: Address already in use. Stop what uses it, or choose "
        f"others: make run {others}\n"
    )
    assert refused.stdout == ""
    assert not (var_dir / "postgresql").exists()


def test_another_host_is_refused_while_demo_users_exist(var_dir: Path) -> None:
    with running_service(var_dir) as service:
        service.stop()
    refused = manage(var_dir, "run", HOST="0.0.0.0", **port_settings())  # noqa: S104
    assert refused.returncode == 1
    assert refused.stderr == (
        "CommandError: HOST=0.0.0.0 would let others in while the demo users exist, whose passwords are shown to anybody "
        "here. Use another VAR_DIR for a service that others reach.\n"
    )
    assert processes_of(var_dir) == []
