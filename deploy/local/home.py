"""The state folder of one local system: who holds it, what runs from it, and where things are in it."""

import fcntl
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from pydantic import BaseModel, Field, ValidationError

from deploy.local.errors import AlreadyRunningError
from deploy.local.processes import PORTS, is_free
from deploy.local.secrets_file import private_folder, write_private


class ProcessState(BaseModel, frozen=True):
    """One running program. `port` is where it answers; `starts` counts from 1."""

    pid: int
    port: int
    log: str
    starts: int


class SystemState(BaseModel, frozen=True):
    """What other programs of the same user may know about the running system; the URLs carry logins."""

    version: int = 1
    launcher_pid: int
    mark: str = Field(pattern="^[0-9a-f]{24}$", description="in the environment of every process of this run")
    gateway_url: str | None
    amqp_url: str
    mongo_url: str
    processes: dict[str, ProcessState]


@dataclass(frozen=True)
class Home:
    """Paths inside the state folder."""

    folder: Path

    @property
    def state_file(self) -> Path:
        """Where the running system describes itself."""
        return self.folder / "state.json"

    def log(self, name: str, ending: str = ".jsonl") -> Path:
        """The log of one program: JSON lines, unless the program knows only text."""
        return self.folder / "logs" / f"{name}{ending}"

    def prepare(self) -> None:
        """Make the folder, for its owner alone."""
        private_folder(self.folder)
        private_folder(self.folder / "logs")

    def read_state(self) -> SystemState | None:
        """The running system's description, or None when there is none or it makes no sense."""
        try:
            return SystemState.model_validate_json(self.state_file.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    def write_state(self, state: SystemState) -> None:
        """Replace the description in one step."""
        write_private(self.state_file, state.model_dump_json(indent=2))

    def preferred_port(self, free: int) -> int:
        """The port that the page had last time, so that bookmarks hold; `free` when it is taken or there was none."""
        file = self.folder / "gateway_port"
        last = file.read_text().strip() if file.exists() else ""
        port = int(last) if last.isdigit() and int(last) in PORTS and is_free(int(last)) else free
        file.write_text(f"{port}\n")
        return port

    def forget_state(self) -> None:
        """Remove the description: nothing runs."""
        self.state_file.unlink(missing_ok=True)


class HomeLock:
    """Holds a state folder for one launcher; the kernel lets go of it when that process is gone."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._stream: TextIO | None = None

    def acquire(self) -> None:
        """Take the folder; raises AlreadyRunningError when another launcher has it."""
        # Never unlinked: whoever had opened the old file would hold a lock on nothing.
        stream = (self._home.folder / "lock").open("a")
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.close()
            raise self._taken() from None
        self._stream = stream

    def release(self) -> None:
        """Let go of the folder."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _taken(self) -> AlreadyRunningError:
        state = self._home.read_state()
        url = state.gateway_url if state else None
        where = f"serving {url}" if url else "still starting"
        return AlreadyRunningError(f"Lectern already runs from {self._home.folder}, {where}.", gateway_url=url)
