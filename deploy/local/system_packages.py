#!/usr/bin/env python3
"""Finds the programs that Lectern needs from the operating system, and installs those that are missing.

Run by the system's own Python before anything else exists: the standard library only, and syntax that an older
Python can read well enough to be told that it is too old.
"""

from __future__ import annotations

import argparse
import ctypes
import ctypes.util
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

OLDEST_PYTHON = (3, 11)
OS_RELEASE = Path("/etc/os-release")
POLICY = "/usr/sbin/policy-rc.d"
RABBITMQ_PLACES = (
    "/usr/lib/rabbitmq/lib/rabbitmq_server-*",  # Debian, Ubuntu, Fedora
    "/opt/rabbitmq",  # the container image
    "/opt/rabbitmq_server-*",  # the generic archive
    "/opt/homebrew/opt/rabbitmq",
    "/usr/local/opt/rabbitmq",
    "/home/linuxbrew/.linuxbrew/opt/rabbitmq",
)
# Debian starts a server as soon as it is installed. Ours is a private one: the policy forbids the start while we
# install, and the service is taken out of the next boot. A policy that the machine already has is left in force.
APT_SCRIPT = """
set -e
policy=$1; shift
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' HUP INT TERM
    printf '#!/bin/sh\\nexit 101\\n' > "$policy"
    chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get --quiet update || echo 'Some package lists could not be refreshed; going on with those at hand.' >&2
apt-get --quiet --yes --no-install-recommends -o DPkg::Lock::Timeout=300 install "$@"
case " $* " in *' rabbitmq-server '*)
    if command -v systemctl > /dev/null; then systemctl disable rabbitmq-server.service > /dev/null 2>&1 || true; fi
esac
"""


@dataclass(frozen=True)
class Need:
    """Something from the operating system: how to see that it is there, and the packages that bring it."""

    name: str
    present: Callable[[], bool]
    apt: str
    brew: str
    tests_only: bool = False


def program(*names: str) -> Callable[[], bool]:
    """Whether any of these programs is on PATH."""
    return lambda: any(shutil.which(name) for name in names)


def rabbitmq_homes(places: Iterable[str] = RABBITMQ_PLACES) -> Iterator[Path]:
    """Folders that hold a RabbitMQ server, the newest first in each place; RABBITMQ_SERVER_HOME goes before all."""
    named = os.environ.get("RABBITMQ_SERVER_HOME")
    for place in [named] if named else places:
        found = sorted(Path(place).parent.glob(Path(place).name), key=version_of, reverse=True)
        yield from (home for home in found if (home / "sbin" / "rabbitmq-server").exists())


def version_of(home: Path) -> tuple[int, ...]:
    """The version in a folder's name, for sorting: 3.10 comes after 3.9. Empty when there is none."""
    found = re.search(r"-(\d+(?:\.\d+)*)", home.name)
    return tuple(map(int, found[1].split("."))) if found else ()


def broker_present() -> bool:
    """Whether there is a broker to start, or one elsewhere was named."""
    return bool(os.environ.get("LECTERN_AMQP_URL")) or any(rabbitmq_homes())


def libmagic_present() -> bool:
    """Whether the library that tells content types can be loaded."""
    for name in ("libmagic.so.1", "libmagic.dylib"):
        try:
            ctypes.CDLL(name)
        except OSError:
            continue
        return True
    return ctypes.util.find_library("magic") is not None


def venv_present() -> bool:
    """Whether virtual environments can be made; Debian packs that apart from Python."""
    return all(importlib.util.find_spec(module) is not None for module in ("venv", "ensurepip"))


def needs(distribution: str) -> tuple[Need, ...]:
    """All that is needed, with the package names of this distribution."""
    ubuntu = distribution == "ubuntu"
    browser = "chromium-browser" if ubuntu else "chromium"
    driver = "chromium-chromedriver" if ubuntu else "chromium-driver"
    browsers = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    venv = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    return (
        Need("rabbitmq-server", broker_present, "rabbitmq-server", "rabbitmq"),
        Need("ffmpeg", program("ffmpeg"), "ffmpeg", "ffmpeg"),
        Need("ffprobe", program("ffprobe"), "ffmpeg", "ffmpeg"),
        Need("tesseract", program("tesseract"), "tesseract-ocr", "tesseract"),
        Need("libmagic", libmagic_present, "libmagic1", "libmagic"),
        Need("venv", venv_present, venv, "python@3.12"),
        Need("chromium", program(*browsers), browser, "chromium", tests_only=True),
        Need("chromedriver", program("chromedriver"), driver, "chromedriver", tests_only=True),
        Need("pdftoppm", program("pdftoppm"), "poppler-utils", "poppler", tests_only=True),
        Need("git", program("git"), "git", "git", tests_only=True),
    )


def distribution_id(os_release: Path = OS_RELEASE) -> str:
    """`debian`, `ubuntu` and the like; empty where the system does not say."""
    lines = os_release.read_text().splitlines() if os_release.exists() else []
    found = [line.partition("=")[2].strip('"') for line in lines if line.startswith("ID=")]
    return found[0] if found else ""


def missing(*, with_tests: bool) -> list[Need]:
    """What is needed and is not there."""
    wanted = [need for need in needs(distribution_id()) if with_tests or not need.tests_only]
    return [need for need in wanted if not need.present()]


def packages(absent: Sequence[Need], manager: str) -> list[str]:
    """Package names of one manager (`apt` or `brew`), each once, in a stable order."""
    return sorted({need.brew if manager == "brew" else need.apt for need in absent})


def as_root() -> list[str] | None:
    """What to put before a command so that root runs it; None when this user may not."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    if subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0:
        return ["sudo", "-n"]
    return ["sudo"] if sys.stdin.isatty() else None


def install_command(absent: Sequence[Need]) -> list[str] | None:
    """The command that installs what is absent, or None when nothing here can or may."""
    if shutil.which("apt-get"):
        root = as_root()
        return None if root is None else [*root, "sh", "-c", APT_SCRIPT, "sh", POLICY, *packages(absent, "apt")]
    if shutil.which("brew"):
        return ["brew", "install", *packages(absent, "brew")]
    return None


def advice(absent: Sequence[Need]) -> str:
    """What a person has to do where the program may not."""
    names = ", ".join(need.name for need in absent)
    if shutil.which("apt-get"):
        how = "sudo apt-get install " + shlex.join(packages(absent, "apt"))
    elif sys.platform == "darwin":
        how = "brew install " + shlex.join(packages(absent, "brew")) + "   (brew itself: https://brew.sh)"
    else:
        how = f"with the system's package manager (on Debian: {shlex.join(packages(absent, 'apt'))})"
    return f"Lectern needs programs that are not installed: {names}.\nInstall them, then try again:\n\n    {how}\n\n"


def install(absent: Sequence[Need], *, with_tests: bool) -> int:
    """Install what is absent and look again. Returns the exit status."""
    command = install_command(absent)
    if command is None:
        sys.stderr.write(advice(absent))
        return 1
    sys.stderr.write("Installing " + ", ".join(need.name for need in absent) + " ...\n")
    failed = subprocess.run(command, check=False).returncode != 0
    still = missing(with_tests=with_tests)
    if still:
        sys.stderr.write(("The installation failed. " if failed else "") + advice(still))
        return 1
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0 when all is there (in the end), 1 when something is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--check", action="store_true", help="only say what is missing (the default)")
    action.add_argument("--install", action="store_true", help="install what is missing")
    parser.add_argument("--with-tests", action="store_true", help="also what the tests use")
    options = parser.parse_args(arguments)
    if sys.version_info < OLDEST_PYTHON:
        found = ".".join(map(str, sys.version_info[:2]))
        sys.stderr.write(f"Lectern needs Python {'.'.join(map(str, OLDEST_PYTHON))} or newer; this is {found}.\n")
        return 1
    absent = missing(with_tests=options.with_tests)
    if not absent:
        return 0
    if options.install:
        return install(absent, with_tests=options.with_tests)
    sys.stderr.write(advice(absent))
    return 1


if __name__ == "__main__":
    sys.exit(main())
