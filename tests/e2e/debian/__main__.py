"""Install the programs that the tests of this folder need: Debian's Postfix, nginx and Chromium."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

PACKAGES = {"postfix": "postfix", "nginx": "nginx-light", "chromium": "chromium"}
"""Programs and the packages that have them."""


def missing() -> list[str]:
    """The packages whose programs are not there; servers lie where only root's PATH leads."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return [package for program, package in PACKAGES.items() if shutil.which(program, path=path) is None]


def main() -> int:
    """0 where all of them are there, or could be installed."""
    if os.geteuid() != 0:
        sys.stderr.write(
            "make e2e starts Postfix, which only root can: run it as root, in a container for instance.\n"
        )
        return 1
    packages = missing()
    if not packages:
        return 0
    if shutil.which("apt-get") is None:
        sys.stderr.write(
            f"make e2e needs Debian's packages {', '.join(packages)}, and apt-get is not here.\n"
        )
        return 1
    sys.stdout.write(f"Installing {', '.join(packages)} …\n")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # No server starts by itself: each test starts its own.
    steps = [["apt-get", "update", "-q"], ["apt-get", "install", "-qy", "--no-install-recommends", *packages]]
    for step in steps:
        if subprocess.run(step, env=quiet, check=False).returncode:
            sys.stderr.write(f"{' '.join(step)} did not work; what happened stands above.\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
