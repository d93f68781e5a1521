"""Where the gateway is and which key opens it: named by the environment, or by the state folder of a local system."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

DEFAULT_HOME = Path(".lectern")


class CommandError(Exception):
    """Something the user has to know. `exit_status` is the command's."""

    def __init__(self, message: str, *, exit_status: int = 1) -> None:
        super().__init__(message)
        self.exit_status = exit_status


@dataclass(frozen=True)
class Connection:
    """A gateway's address and an API key."""

    url: str
    key: str


def home_folder() -> Path:
    """The state folder, as every other part of Lectern finds it."""
    return Path(os.environ.get("LECTERN_HOME") or DEFAULT_HOME)


def find_gateway(home: Path) -> Connection:
    """LECTERN_URL and LECTERN_API_KEY, or what `home` says. Raises CommandError when neither does."""
    url = os.environ.get("LECTERN_URL") or _running_at(home)
    if url is None:
        raise CommandError(
            f"No Lectern runs from {home}. Start one with `lectern up`, or set LECTERN_URL and LECTERN_API_KEY."
        )
    return Connection(url.rstrip("/"), os.environ.get("LECTERN_API_KEY") or kept_key(home))


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
        return (home / "api-key").read_text().strip()
    except OSError:
        raise CommandError(f"There is no API key: set LECTERN_API_KEY, or give {home} one by starting it.") from None
