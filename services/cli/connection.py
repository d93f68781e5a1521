"""Where the gateway is and which key opens it: named by the environment, or by the state folder of a local system."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx

DEFAULT_HOME = Path(".lectern")
KEY_FILE = "api-key"
_MARKS = (KEY_FILE, "state.json")


class CommandError(Exception):
    """Something the user has to know. `exit_status` is the command's."""

    def __init__(self, message: str, *, exit_status: int = 1) -> None:
        super().__init__(message)
        self.exit_status = exit_status


class NoAccessError(CommandError):
    """The gateway cannot be reached, or does not know the key: no other request would fare better."""


@dataclass(frozen=True)
class Connection:
    """A gateway's address and an API key: where it came from, and what to do when it is refused."""

    url: str
    key: str
    key_from: str = field(default="LECTERN_API_KEY", compare=False)
    remedy: str = field(default="Put another one there; `lectern keys create` makes one.", compare=False)


def home_folder() -> Path:
    """The state folder: LECTERN_HOME, or the nearest `.lectern` here or above, or the one that would be made here.

    Only folders of this user's own are followed: the key must not go to an address that somebody else wrote there.
    """
    given = os.environ.get("LECTERN_HOME")
    if given:
        return Path(given)
    here = Path.cwd()
    homes = (folder / DEFAULT_HOME for folder in (here, *here.parents))
    return next((home for home in homes if _is_own_home(home)), DEFAULT_HOME)


def _is_own_home(home: Path) -> bool:
    try:
        return home.stat().st_uid == os.geteuid() and any((home / mark).exists() for mark in _MARKS)
    except OSError:
        return False


def find_gateway(home: Path) -> Connection:
    """LECTERN_URL and LECTERN_API_KEY, or what `home` says. Raises CommandError when neither does."""
    given = os.environ.get("LECTERN_URL")
    if given and not _is_address(given):
        raise CommandError(f"LECTERN_URL is {given}, which is no address. Write it as http://HOST:PORT.")
    url = given or _running_at(home)
    if url is None:
        raise CommandError(
            f"No Lectern runs from {home.absolute()}. Start one with `lectern up`; for one that runs from another "
            "folder set LECTERN_HOME to it, for one on another machine LECTERN_URL and LECTERN_API_KEY."
        )
    return _connection(url, "LECTERN_API_KEY", home)


def local_connection(url: str, home: Path) -> Connection:
    """The system that runs from `home` at `url`. Raises CommandError when there is no key to it."""
    return _connection(url, "GATEWAY_BOOTSTRAP_KEY", home)


def _connection(url: str, variable: str, home: Path) -> Connection:
    given = os.environ.get(variable)
    key, key_from = (given, variable) if given else (kept_key(home), str(home / KEY_FILE))
    if not key or not all("!" <= character <= "~" for character in key):
        raise CommandError(f"There is no API key in {key_from}, but something else: put one there.")
    if given:
        return Connection(url.rstrip("/"), key, key_from)
    remedy = "Remove this file and start Lectern again, which makes a new one, or set LECTERN_API_KEY."
    return Connection(url.rstrip("/"), key, key_from, remedy)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        httpx.URL(url).host.encode("idna")  # as it is looked up later
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and url.isprintable()
    except (ValueError, httpx.InvalidURL):
        return False


def _running_at(home: Path) -> str | None:
    try:
        state = json.loads((home / "state.json").read_bytes())
    except (OSError, ValueError):
        return None
    url = state.get("gateway_url") if isinstance(state, dict) else None
    return url if isinstance(url, str) else None


def kept_key(home: Path) -> str:
    """The local user's key, made by the gateway at its first start. Raises CommandError when there is none."""
    try:
        return (home / KEY_FILE).read_text().strip()
    except (OSError, UnicodeDecodeError):
        raise CommandError(f"There is no API key: set LECTERN_API_KEY, or give {home} one by starting it.") from None
