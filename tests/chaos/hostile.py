"""Messages that no well-meaning system sends, and where each of them must end."""

import gzip
import json
import random
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace

from shared import commands, events
from shared.messaging.logs import job_of
from shared.messaging.topology import EVENTS_EXCHANGE, WORK_QUEUES
from tests.chaos.tap import Letter

QUEUES = tuple(queue.name for queue in WORK_QUEUES)
KEYS = tuple(event.routing_key for event in events.EVENTS)
DEEP = 20_000
HUGE = 2 << 20
JSON = "application/json"

Make = Callable[[random.Random, str], tuple[bytes, str | None]]


@dataclass(frozen=True)
class Hostile:
    """A hostile message and the queues in whose dead letters it must be found, each once."""

    letter: Letter
    what: str
    graves: tuple[str, ...]


def _object(**fields: object) -> bytes:
    """A submission that names its job becomes a job; it must not lie among those of the run's own user."""
    return json.dumps({"owner": "stranger", **fields}).encode()


def _unknown_job() -> str:
    return f"unknown-{uuid.uuid4()}"


MALFORMED: dict[str, Make] = {
    "not JSON": lambda _rng, job: (b"{" + job.encode(), JSON),
    "empty": lambda _rng, _job: (b"", JSON),
    "null": lambda _rng, _job: (b"null", JSON),
    "a list": lambda _rng, job: (json.dumps([job]).encode(), JSON),
    "a number": lambda _rng, _job: (b"1e999", JSON),
    "latin-1": lambda _rng, job: (f'{{"job_id": "{job}", "x": "\xe9"}}'.encode("latin-1"), JSON),
    "zero bytes": lambda _rng, _job: (b"\0" * 1000, JSON),
    "text": lambda _rng, job: (job.encode(), "text/plain"),
    "no content type": lambda _rng, job: (_object(job_id=job), None),
    "an odd content type": lambda _rng, job: (_object(job_id=job), "application/" + "x" * 200),
    "compressed": lambda _rng, job: (gzip.compress(_object(job_id=job)), JSON),
    "deep": lambda _rng, _job: (b"[" * DEEP + b"]" * DEEP, JSON),
    "deep objects": lambda _rng, _job: (b'{"data":' * DEEP + b"1" + b"}" * DEEP, JSON),
    "huge": lambda _rng, _job: (_object(job_id=17, source="x" * HUGE), JSON),
    "no fields": lambda _rng, _job: (b"{}", JSON),
    "wrong types": lambda _rng, _job: (_object(job_id=17, source=[], parameters="a4", facts=1), JSON),
    "garbage around a job": lambda _rng, job: (
        _object(job_id=f" {job}\n", source={"key": "inbox/x", "name": "x"}),
        JSON,
    ),
    "a path for a job": lambda _rng, _job: (_object(job_id="../../etc/passwd"), JSON),
    "operators": lambda _rng, _job: (_object(job_id={"$ne": None}), JSON),
    "dots and dollars": lambda _rng, _job: (_object(job_id="$where.results"), JSON),
    "an old shape of a job": lambda _rng, job: (_object(job_id=job.upper()), JSON),
    "bad parameters": lambda _rng, _job: (_object(job_id=_unknown_job(), parameters={"paper": "a0"}, run=0), JSON),
}


def malformed(rng: random.Random, job_id: str, number: int) -> Hostile:
    """A message that fits no contract, to the events or straight to a queue."""
    what = rng.choice(list(MALFORMED))
    body, content_type = MALFORMED[what](rng, job_id)
    identity = f"hostile-{number}"
    headers = rng.choice(({}, {"x-lectern-attempt": "many", "x-lectern-history": "[[["}, {"x-death": "never"}))
    if rng.random() < 0.5:
        key = rng.choice(KEYS)
        graves = () if _fails_a_job(key, body) else tuple(queue.name for queue in WORK_QUEUES if key in queue.keys)
        letter = Letter(EVENTS_EXCHANGE.name, key, body, dict(headers), content_type, message_id=identity)
    else:
        queue = rng.choice(QUEUES)
        graves = (queue,)
        letter = Letter("", queue, body, dict(headers), content_type, message_id=identity)
    return Hostile(letter, f"{what} to {letter.exchange or 'the queue'} {letter.routing_key}", graves)


def _fails_a_job(key: str, body: bytes) -> bool:
    """Whether it is a submission that says which job it is about: its end is a failed job, and no dead letter."""
    job_id = job_of(body) if key == events.JobSubmitted.routing_key else None
    return job_id is not None and re.fullmatch(r"[a-z0-9][a-z0-9-]{7,63}", job_id) is not None


def traversal(rng: random.Random, _job_id: str, number: int) -> Hostile:
    """A well-formed submission of a file that is none of its business."""
    key = rng.choice(
        ("../../../etc/passwd", "/etc/passwd", "gateway/uploads/../../api-key", "inbox/../x", "rendering/x")
    )
    body = _object(job_id=_unknown_job(), source={"key": key, "name": "x"})
    letter = Letter("", "ingest.submissions", body, {}, JSON, message_id=f"hostile-{number}")
    return Hostile(letter, f"a submission of {key}", ())


def stray_unit(_rng: random.Random, _job_id: str, number: int) -> Hostile:
    """A well-formed command for a job that nobody knows."""
    reference = {"key": f"ingest/none/{number}", "sha256": "0" * 64, "size": 1}
    piece = {"number": 1, "start_s": 0, "end_s": 1, "audio": reference}
    body = _object(job_id=_unknown_job(), units=1, piece=piece)
    letter = Letter("", commands.TranscribeSpeech.queue, body, {}, JSON, message_id=f"hostile-{number}")
    return Hostile(letter, "a unit of an unknown job", (commands.TranscribeSpeech.queue,))


def unroutable(rng: random.Random, job_id: str, number: int) -> Hostile:
    """An event of a kind that nobody has a queue for."""
    body = _object(job_id=job_id)
    key = rng.choice(("job.submitted.v99", "lectern.retry", "#", "x" * 200))
    return Hostile(Letter(EVENTS_EXCHANGE.name, key, body, {}, JSON, message_id=f"hostile-{number}"), key, ())


def harmless(_rng: random.Random, _job_id: str, number: int) -> Hostile:
    """Well-formed news of a job that nobody knows: it changes nothing for anybody else."""
    body = _object(job_id=_unknown_job(), stage="analysis", unit="x-1", units=1)
    letter = Letter(EVENTS_EXCHANGE.name, "unit.finished.v1", body, {}, JSON, message_id=f"hostile-{number}")
    return Hostile(letter, "news of an unknown job", ())


KINDS = ((malformed, 12), (traversal, 2), (stray_unit, 2), (unroutable, 1), (harmless, 1))


def hostile(rng: random.Random, job_ids: list[str], number: int) -> Hostile:
    """A hostile message; it may name a real job."""
    job_id = rng.choice(job_ids) if job_ids else _unknown_job()
    make = rng.choices([kind for kind, _ in KINDS], [share for _, share in KINDS])[0]
    made = make(rng, job_id, number)
    return replace(made, what=f"hostile message {number}: {made.what}")
