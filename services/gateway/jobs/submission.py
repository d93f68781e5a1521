"""Accepting a source: streamed into the store, kept as a job, published. An accepted job is never lost."""

import asyncio
import contextlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

from pydantic import ValidationError

from services.gateway.jobs.admission import Admission
from services.gateway.jobs.derive import derive
from services.gateway.jobs.facts import submission
from services.gateway.jobs.multipart import MalformedUploadError, MultipartReader, Part
from services.gateway.jobs.read_model import ReadModel
from services.gateway.jobs.view import DELETED, Job
from services.gateway.problems import FieldFault, ProblemError
from shared.database import DuplicateKeyError
from shared.errors import StorageError
from shared.events import Engines, JobSubmitted, Parameters, SubmittedSource, new_job_id
from shared.names import sanitise_name
from shared.storage import ObjectRef, ObjectStore
from shared.telemetry import current_trace_id, note_work, traceparent

UPLOADS = "gateway/uploads/"
_FIELDS = Parameters.model_fields.keys() - {"engines"}
MAX_VALUE_BYTES = 200
_KEYS = uuid.UUID("9a8f6a52-2a6e-4f0c-8d5b-6f3f5b0c7a11")  # a name space of our own, for ids made of idempotency keys


@dataclass(frozen=True)
class Accepted:
    """What a submission led to. `replayed`: it had been accepted before, under the same idempotency key."""

    job: Job
    replayed: bool = False


@dataclass
class _Form:
    """What has been read of a submission so far."""

    values: dict[str, str]
    upload: ObjectRef | None = None
    name: str = ""


def _unprocessable(field: str, message: str) -> ProblemError:
    faults = [FieldFault(field=field, message=message)]
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", message, errors=faults)


def uploads_of(job_id: str) -> str:
    """The folder of a job's own uploads."""
    return f"{UPLOADS}{job_id}/"


class Submissions:
    """Takes sources in. `engines` are those in force now, which a job keeps.

    `language_fault` says why none of them has a language.
    """

    def __init__(
        self,
        read_model: ReadModel,
        store: ObjectStore,
        admission: Admission,
        *,
        max_bytes: int,
        engines: Engines,
        language_fault: Callable[[str], str | None],
    ) -> None:
        self._read_model = read_model
        self._store = store
        self._admission = admission
        self._max_bytes = max_bytes
        self._engines = engines
        self._language_fault = language_fault

    async def accept(self, owner: str, reader: MultipartReader, idempotency_key: str | None) -> Accepted:
        """Read a form and make a job of it.

        Raises ProblemError for a form that cannot be one. Whatever stops it before the job is kept, also the
        caller going away, leaves no object behind.
        """
        job_id = new_job_id()
        if idempotency_key is not None:
            job_id = str(uuid.uuid5(_KEYS, f"{owner}\n{idempotency_key}"))
        note_work(job_id=job_id, run=1)
        # Two requests with one idempotency key may upload at once: each writes an object of its own.
        key = f"{uploads_of(job_id)}{uuid.uuid4().hex[:12]}/source"
        form = _Form({})
        try:
            await self._read(reader, key, form)
            event = self._event(job_id, owner, form)
        except BaseException:
            await self._discard(key)
            raise
        try:
            job = await self._read_model.insert(event, trace_id=current_trace_id(), traceparent=traceparent())
        except DuplicateKeyError:
            await self._discard(key)
            return await self._accepted_before(event)
        # After any other failure the job may have been kept: the object stays, and the sweeper sees to it.
        await self._admission.admit_soon(owner)
        return Accepted(job)

    async def _read(self, reader: MultipartReader, key: str, form: _Form) -> None:
        try:
            async for part in reader.parts():
                if part.name == "file":
                    await self._take_file(part, key, form)
                elif part.name in _FIELDS and part.filename is None:
                    form.values[part.name] = await part.text(MAX_VALUE_BYTES)
                else:
                    raise _unprocessable(part.name[:50], "The form has a field that is not known here.")
        except MalformedUploadError as error:
            raise ProblemError(HTTPStatus.BAD_REQUEST, "malformed-upload", str(error)) from None

    async def _take_file(self, part: Part, key: str, form: _Form) -> None:
        if form.upload is not None:
            raise _unprocessable("file", "Send one file a request.")
        if part.filename is None:
            raise _unprocessable("file", "The field `file` must be a file with a name.")
        form.name = sanitise_name(part.filename)
        media_type = "application/octet-stream"  # what it is, is found out from its content
        form.upload = await self._store.put_stream(key, part.chunks(), media_type, max_size=self._max_bytes)

    def _event(self, job_id: str, owner: str, form: _Form) -> JobSubmitted:
        if form.upload is None:
            raise _unprocessable("file", "Send a file in the field `file`.")
        if form.upload.size == 0:
            raise _unprocessable("file", "This file is empty.")
        given: dict[str, object] = {name: value for name, value in form.values.items() if value}
        if "required" in given:
            given["required"] = tuple(filter(None, form.values["required"].replace(" ", "").split(",")))
        try:
            parameters = Parameters.model_validate({**given, "engines": self._engines})
        except ValidationError as error:
            faults = [FieldFault(field=str(fault["loc"][0]), message=fault["msg"]) for fault in error.errors()]
            detail = "Some fields of the form are not valid: see `errors`."
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", detail, errors=faults) from None
        if fault := self._language_fault(parameters.language):
            raise _unprocessable("language", fault)
        source = SubmittedSource(key=form.upload.key, name=form.name, sha256=form.upload.sha256, size=form.upload.size)
        return JobSubmitted(job_id=job_id, parameters=parameters, owner=owner, source=source, submitted_at=_now_ms())

    async def _accepted_before(self, event: JobSubmitted) -> Accepted:
        """The first answer again, if the content is the same."""
        document = await self._read_model.document(event.job_id)
        if document is None or document["status"] == DELETED:
            detail = "The job of this Idempotency-Key was deleted. Send the file with a new key."
            raise ProblemError(HTTPStatus.CONFLICT, "idempotency-key-deleted", detail)
        first, again = document["facts"]["submitted"], submission(event)
        if any(first[fact] != again[fact] for fact in ("sha256", "size", "name", "parameters")):
            detail = "This Idempotency-Key was used for another file or other parameters. Send a new key."
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "idempotency-key-reused", detail)
        facts = {fact: document["facts"].get(fact) for fact in ("submitted", "trace_id")}
        view = derive(event.job_id, facts).model_dump(mode="json")
        return Accepted(self._read_model.shown({"view": view, "revision": 1}), replayed=True)

    async def _discard(self, key: str) -> None:
        with contextlib.suppress(StorageError):  # the sweeper finds what stays behind
            await asyncio.shield(self._store.delete(key))


def _now_ms() -> datetime:
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
