"""What is wrong with a submission, found before its source is opened."""

from typing import ClassVar

from shared.errors import InvalidMessageError, InvalidSourceError, ObjectNotFoundError

INBOX = "inbox/"


class SourceKeyError(InvalidSourceError):
    """The key of the source is none, or names what is not the submitter's. Permanent."""

    code = InvalidMessageError.code

    def __init__(self, internal: str) -> None:
        super().__init__(
            f"`source.key` must name a file in `{INBOX}`, such as `{INBOX}week-3.mp4`: letters, digits and `/._-`, "
            "without `..`, at most 400 characters. Correct it and submit again under a new `job_id`.",
            internal=internal,
        )


class SourceMissingError(InvalidSourceError):
    """There is no file under the key of the source. Permanent, until somebody puts it there."""

    code = ObjectNotFoundError.code
    retry_helps: ClassVar[bool] = True

    def __init__(self, key: str) -> None:
        super().__init__(
            f"`source.key`: there is no file {key}. Put it there and try again, or submit the right key under a new "
            "`job_id`. A folder, a symbolic link or what Lectern may not read is no file."
        )
