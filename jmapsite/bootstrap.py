"""Make `.venv/` ready: `python3 jmapsite/bootstrap.py [EXTRA…]`. Runs before anything is installed: standard
library only.

Installs what pyproject.toml asks for with the versions of constraints.txt, and does nothing at all while
neither file nor the Python has changed since the last time.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import platform
import subprocess
import sys
import time
import venv
from pathlib import Path

OLDEST = (3, 11)
NEWEST = (3, 14)
BASE_DIR = Path(__file__).resolve().parent.parent
PYTHON = BASE_DIR / ".venv" / "bin" / "python"
STAMP = BASE_DIR / ".venv" / "installed.json"


def say(words: str) -> None:
    """Print one line of progress at once."""
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def requirements(extras: list[str]) -> list[str]:
    """The requirements of pyproject.toml (PEP 621): the service's own and those of the named extras.

    Raises `SystemExit` for an extra that pyproject.toml does not have.
    """
    import tomllib

    project = tomllib.loads((BASE_DIR / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = list(project["dependencies"])
    for extra in extras:
        if extra not in project["optional-dependencies"]:
            raise SystemExit(f"pyproject.toml has no extra {extra!r}.")
        wanted += project["optional-dependencies"][extra]
    return wanted


def fingerprint(wanted: list[str]) -> str:
    """What the installation depends on, as one string: pins, wishes, place and Python."""
    parts = [(BASE_DIR / "constraints.txt").read_text("utf-8"), *wanted, str(BASE_DIR), sys.version]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def refuse_unsuitable_python() -> None:
    """Raise `SystemExit` with a sentence where this Python cannot make the environment."""
    version = sys.version_info[:2]
    if not OLDEST <= version <= NEWEST:
        raise SystemExit(
            f"Python 3.11 to 3.14 is needed; {sys.executable} is {platform.python_version()}. "
            "Name another with: make run PYTHON=python3.13"
        )
    if importlib.util.find_spec("ensurepip") is None:
        raise SystemExit(
            "This Python cannot make virtual environments. On Debian and Ubuntu install its package: "
            f"apt install python3-venv (or python{version[0]}.{version[1]}-venv)."
        )


def installed() -> dict[str, str]:
    """The fingerprint of what is in `.venv/` for each set of extras; empty where nothing usable is there."""
    if not PYTHON.exists() or not STAMP.exists():
        return {}
    try:
        stamp = json.loads(STAMP.read_text("utf-8"))
    except ValueError:
        return {}
    return stamp if isinstance(stamp, dict) else {}


def main(extras: list[str]) -> None:
    """Create `.venv/` where it is missing and install what the extras need, unless that was done before."""
    refuse_unsuitable_python()
    name = ",".join(sorted(extras))
    wanted = requirements(extras)
    wish = fingerprint(wanted)
    stamp = installed()
    if stamp.get(name) == wish:
        return
    started = time.monotonic()
    if not PYTHON.exists() or not _works(PYTHON):
        say(f"Creating .venv with Python {platform.python_version()} …")
        # A link to a pyenv shim or the like would stop to work with its environment: take the real
        # interpreter.
        venv.EnvBuilder(with_pip=True, clear=True, symlinks=True).create(BASE_DIR / ".venv")
    say("Installing the pinned packages (a minute or so the first time) …")
    command = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    if platform.system() == "Linux":
        command.append("--prefer-binary")
    command += ["--constraint", str(BASE_DIR / "constraints.txt"), *wanted]
    if subprocess.run(command, check=False, cwd=BASE_DIR).returncode:
        raise SystemExit("The packages could not be installed; what pip said stands above.")
    kept = {key: value for key, value in stamp.items() if value == fingerprint(requirements(_extras(key)))}
    STAMP.write_text(json.dumps({**kept, name: wish}), "utf-8")
    say(f"Installed in {time.monotonic() - started:.0f} seconds.")


def _extras(name: str) -> list[str]:
    return name.split(",") if name else []


def _works(python: Path) -> bool:
    """Whether the environment's interpreter starts and has the version of this one."""
    asked = subprocess.run(
        [str(python), "-c", "import pip, sys; print(sys.version)"],
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.returncode == 0 and asked.stdout.strip() == sys.version.strip()


if __name__ == "__main__":
    main(sys.argv[1:])
