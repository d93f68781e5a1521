"""The one hierarchy of expected faults (PIP-6).

Each class decides three things once for all: whether doing the same again can help (`retryable`), whether the fault
lies with a `dependency` rather than with the work, and what the owner of the job may be told (`public_message`, never a
path, an address or a library's own words). The arguments
of the exception itself are the internal context; they go to logs and dead-letter headers only.
"""

from typing import ClassVar, Literal


class LecternError(Exception):
    """Base of every expected fault.

    `public_message` is one or two sentences that say what is wrong and what to do about it.
    """

    code: ClassVar[str] = "internal"
    retryable: ClassVar[bool] = False
    # How often a message that fails so is tried at most; None: as often as any other.
    most_attempts: ClassVar[int | None] = None
    # What the fault lies with, where that is not the message at hand: it uses up no attempt of the message.
    dependency: ClassVar[str | None] = None
    default_message: ClassVar[str] = "Something went wrong inside Lectern. Try again later."

    def __init__(self, internal: str = "", *, public_message: str | None = None) -> None:
        super().__init__(internal or public_message or self.default_message)
        self.public_message = public_message or self.default_message


class InvalidSourceError(LecternError):
    """The source itself cannot be used: damaged, empty, encrypted, of an unknown type. Permanent.

    What a user sent is the outcome of their job: no message is given up for it. `retry_helps` says whether the owner
    can do something about it and have the same job tried again.
    """

    code = "invalid_source"
    retry_helps: ClassVar[bool] = False
    default_message = "This file cannot be read. Check that it opens on your own machine and upload it again."

    def __init__(self, public_message: str, *, internal: str = "") -> None:
        super().__init__(internal, public_message=public_message)


class SourceTooLargeError(InvalidSourceError):
    """The source is larger or longer than the limits in force. Permanent."""

    code = "source_too_large"


class NothingReadError(InvalidSourceError):
    """Every part of the source that could be read met a limit or failed. Permanent."""

    code = "nothing_read"


class InvalidMessageError(LecternError):
    """A message is not what its contract says. Permanent."""

    code = "invalid_message"
    default_message = "The request was not understood. Check it against the documented contract."


class StorageError(LecternError):
    """The object store refused or could not be reached. Retried."""

    code = "storage"
    retryable = True
    dependency: ClassVar[str | None] = "storage"
    default_message = "The file storage is not available right now. The job goes on by itself when it is back."


class ObjectNotFoundError(StorageError):
    """No object has this key. Permanent: asking again does not bring it back."""

    code = "object_not_found"
    retryable = False
    dependency = None
    default_message = "A file of this job is gone. Submit the source again."


class DatabaseError(LecternError):
    """The document database refused or could not be reached. Retried."""

    code = "database"
    retryable = True
    dependency = "database"
    default_message = "The database is not available right now. The job goes on by itself when it is back."


class ScratchError(LecternError):
    """Temporary files cannot be written: the disk is full, or broken. Retried."""

    code = "scratch"
    retryable = True
    dependency = "scratch"
    default_message = "There is no room for temporary files right now. The job goes on by itself when there is."


class BrokerError(LecternError):
    """The message broker refused or could not be reached. Retried."""

    code = "broker"
    retryable = True
    dependency = "broker"
    default_message = "The message broker is not available right now. Try again in a minute."


class TopologyConflictError(LecternError):
    """A queue or an exchange of ours exists on the broker with other properties. Permanent."""

    code = "topology_conflict"
    default_message = "The message broker holds queues of another kind under Lectern's names."


class EngineError(LecternError):
    """An engine (speech, recognition, language model, typesetter) failed in a way that may pass. Retried."""

    code = "engine"
    retryable = True
    default_message = "A processing engine failed on this file."


Limit = Literal["memory", "time", "file", "programs", "crash"]

_EXCESS: dict[Limit, str] = {
    "memory": "needs more memory than is allowed",
    "time": "takes longer than is allowed",
    "file": "needs more room for temporary files than is allowed",
    "programs": "needs more programs at once than are allowed",
    "crash": "makes the program that reads it crash",
}


class EngineLimitError(EngineError):
    """An engine, or a program that it started, met a limit and was ended. Tried a second time, then given up.

    `limit` says which; `crash` is an end by a signal of its own.
    """

    code = "resource_limit"
    most_attempts: ClassVar[int | None] = 2

    def __init__(self, internal: str = "", *, limit: Limit = "memory", public_message: str | None = None) -> None:
        self.limit: Limit = limit
        said = public_message or f"{self.of('This file')} Split it, or save it anew in a simpler form, and upload that."
        super().__init__(internal, public_message=said)

    def of(self, subject: str) -> str:
        """The sentence about `subject`, such as `Page 7`."""
        return f"{subject} {_EXCESS[self.limit]}."


class EngineTimeoutError(EngineLimitError):
    """An engine did not finish in its time and was ended with its children. Tried a second time, then given up."""

    code = "engine_timeout"
    default_message = "A processing step took too long and was stopped."

    def __init__(self, internal: str = "", *, public_message: str | None = None) -> None:
        super().__init__(internal, limit="time", public_message=public_message or self.default_message)


class PipelineError(LecternError):
    """The state of a job does not fit the step that was asked for. Permanent."""

    code = "pipeline"
    default_message = "A processing step could not be carried out for this job."


class OtherVersionError(LecternError):
    """What another version of Lectern has stored or sent is not for this. Retried: a replica of that may be next."""

    code = "other_version"
    retryable = True


class RateLimitError(LecternError):
    """A limit was reached; `retry_after_s` says when to come back. Retried."""

    code = "rate_limit"
    retryable = True
    default_message = "Too many requests. Wait a little and try again."

    def __init__(self, internal: str = "", *, retry_after_s: float) -> None:
        super().__init__(internal)
        self.retry_after_s = retry_after_s
