"""Why the local system could not run, told to the person in front of it."""

from pathlib import Path

from shared.errors import LecternError

TAIL_LINES = 15


class LocalSystemError(LecternError):
    """Something on this machine keeps Lectern from running here; `public_message` says what to do about it."""

    code = "local_system"
    default_message = "Lectern could not start on this machine."

    def __init__(self, public_message: str, *, log: Path | None = None) -> None:
        super().__init__(public_message, public_message=public_message)
        self.log = log

    def log_tail(self) -> str:
        """The last lines of the log that the message names, or nothing."""
        if self.log is None or not self.log.exists():
            return ""
        with self.log.open("rb") as stream:
            stream.seek(max(0, self.log.stat().st_size - 16_384))
            return "\n".join(stream.read().decode(errors="replace").splitlines()[-TAIL_LINES:])


class AlreadyRunningError(LocalSystemError):
    """Another launcher holds this state folder; `gateway_url` is the page it serves, where it is known."""

    code = "already_running"

    def __init__(self, public_message: str, *, gateway_url: str | None) -> None:
        super().__init__(public_message)
        self.gateway_url = gateway_url


class StopRequestedError(LocalSystemError):
    """The system was asked to stop while it was still starting."""

    code = "stop_requested"
    default_message = "Stopped before everything had started."

    def __init__(self) -> None:
        super().__init__(self.default_message)
