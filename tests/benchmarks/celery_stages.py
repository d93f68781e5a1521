"""Four stages as Celery tasks that do nothing; `python -m tests.benchmarks.celery_stages NAME` is a worker of one.

Settings are the best that Celery's documentation gives for work that must not be lost, on RabbitMQ:

- `task_acks_late`, `task_reject_on_worker_lost`, prefetch 1, a pool of one process; a queue for each stage;
- quorum queues (`task_default_queue_type`): Celery sees them and does without the global prefetch that they lack;
- a topic exchange, which its delays for quorum queues ask for;
- persistent messages, publisher confirms, and publications that are tried again for more than a minute;
- `worker_deduplicate_successful_tasks`: a redelivered task that has its result is not run again, and its chain goes on;
- `worker_cancel_long_running_tasks_on_connection_loss`: what could not be acknowledged any more is not finished;
- connections that are tried again for ever; results in the same database as the product's checkpoints.

No task raises anything, so retries and their delays have nothing to do; redelivery needs no visibility timeout on
RabbitMQ, which sees the connection end. A worker answers for its health as the product's do: `ready` once it consumes.
"""

import asyncio
import http.server
import os
import sys
import threading
from functools import cache
from pathlib import Path
from typing import Any

from celery import Celery, chain, signals  # type: ignore[import-untyped]  # it has no types
from kombu.entity import Exchange, Queue

from shared.storage.local import LocalObjectStore
from tests.benchmarks.ledger import Entry, Ledger

STAGES = ("ingest", "transcription", "analysis", "rendering")
PORT_VARIABLE = "BENCH_HEALTH_PORT"
PUBLISHED, FAILED = "published", "failed"  # "stages" of the ledger
RETRY_PUBLISHING = {"max_retries": 100, "interval_start": 0, "interval_step": 0.2, "interval_max": 1}


def create_app(amqp_url: str, mongo_url: str) -> Celery:
    """The application with its four tasks."""
    app = Celery("bench", broker=amqp_url, backend=mongo_url, set_as_current=False)
    app.conf.update(
        mongodb_backend_settings={"database": "celery"},
        task_default_queue_type="quorum",
        task_queues=[_queue(stage) for stage in STAGES],
        task_routes={f"bench.{stage}": {"queue": stage} for stage in STAGES},
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_publish_retry=True,
        task_publish_retry_policy=RETRY_PUBLISHING,
        worker_prefetch_multiplier=1,
        worker_concurrency=1,
        worker_deduplicate_successful_tasks=True,
        worker_cancel_long_running_tasks_on_connection_loss=True,
        worker_enable_remote_control=False,
        broker_transport_options={"confirm_publish": True},
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
    )
    for stage in STAGES:
        app.task(name=f"bench.{stage}")(_stage(stage))
    return app


def _queue(stage: str) -> Any:
    exchange = Exchange("bench.celery", type="topic")  # type: ignore[no-untyped-call]  # kombu is typed in part
    arguments = {"x-queue-type": "quorum"}
    return Queue(stage, exchange, stage, queue_arguments=arguments)  # type: ignore[no-untyped-call]  # as above


def _stage(stage: str) -> Any:
    def run(before: dict[str, Any] | None, job_id: str) -> dict[str, Any]:
        """Read what the stage before has left, leave something for the next, and say where it is."""
        reference = asyncio.run(_carry_out(stage, before, job_id))
        Ledger.of_environment().add(Entry(job_id, stage, "all"))
        return reference

    return run


@cache
def _store() -> LocalObjectStore:
    return LocalObjectStore(Path(os.environ["LECTERN_HOME"]))


async def _carry_out(stage: str, before: dict[str, Any] | None, job_id: str) -> dict[str, Any]:
    store = _store()
    content = await store.read(before["key"]) if before is not None else b"RIFF"
    stored = await store.put_bytes(f"celery/{job_id}/{stage}", content, "application/octet-stream")
    return stored.model_dump(mode="json")


def job_chain(app: Celery, job_id: str) -> Any:
    """The tasks of one job, whose ids are the same whenever it is submitted."""
    first, *others = STAGES
    tasks = [app.tasks[f"bench.{first}"].s(None, job_id).set(task_id=f"{job_id}-{first}")]
    tasks += [app.tasks[f"bench.{stage}"].s(job_id).set(task_id=f"{job_id}-{stage}") for stage in others]
    return chain(*tasks, app=app)


def _keep_ledger_of_ends() -> None:
    """Results that were stored, and tasks that failed for good: signals of the process that ran the task."""
    ledger = Ledger.of_environment()

    def succeeded(sender: Any, **_others: Any) -> None:
        if sender.name == f"bench.{STAGES[-1]}":
            ledger.add(Entry(sender.request.args[-1], PUBLISHED, "all"))

    def failed(sender: Any, args: Any, **_others: Any) -> None:
        ledger.add(Entry(args[-1], FAILED, sender.name))

    signals.task_success.connect(succeeded, weak=False)
    signals.task_failure.connect(failed, weak=False)


def _answer_for_health(port: int) -> None:
    ready = threading.Event()

    class Health(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if ready.is_set() or self.path.endswith("live") else 503)
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            """Nothing: a probe every second is no news."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Health)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    signals.worker_ready.connect(lambda **_others: ready.set(), weak=False)


def main(stage: str) -> None:
    """Run one stage's worker until it is told to stop."""
    _keep_ledger_of_ends()
    _answer_for_health(int(os.environ[PORT_VARIABLE]))
    app = create_app(os.environ["LECTERN_AMQP_URL"], os.environ["LECTERN_MONGO_URL"])
    options = ["-P", "prefork", "-Q", stage, "-n", f"{stage}@bench", "-l", "WARNING"]
    app.worker_main(["worker", *options, "--without-gossip", "--without-mingle"])


if __name__ == "__main__":
    main(sys.argv[1])
