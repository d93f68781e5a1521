"""Starts Lectern as a user does, and talks to it as one."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pika

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "deploy" / "samples"
START_LIMIT_S = 120
JOB_LIMIT_S = 240
ENDED = {"done", "partial", "failed", "cancelled"}


def wait_until(condition: Callable[[], Any], what: str, within_s: float) -> Any:
    """The first true value of `condition`."""
    deadline = time.monotonic() + within_s
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what} took more than {within_s} s"
        time.sleep(0.1)
    return value


@dataclass
class Lectern:
    """A running system and a client of its API."""

    home: Path
    process: subprocess.Popen[bytes]
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        wait_until(
            lambda: self.process.poll() is None and (self.home / "state.json").exists(), "starting", START_LIMIT_S
        )
        wait_until(self._ready, "becoming ready", START_LIMIT_S)
        key = (self.home / "api-key").read_text().strip()
        self.http = httpx.Client(
            base_url=self.state["gateway_url"], headers={"Authorization": f"Bearer {key}"}, timeout=60
        )

    @property
    def state(self) -> dict[str, Any]:
        return dict(json.loads((self.home / "state.json").read_text()))

    def _ready(self) -> bool:
        try:
            url = self.state.get("gateway_url")
            return bool(url) and httpx.get(f"{url}/health/ready", timeout=5).status_code == 200
        except (OSError, httpx.HTTPError, json.JSONDecodeError):
            return False

    def submit(self, source: Path | bytes, name: str, headers: dict[str, str] | None = None, **form: str) -> str:
        content = source if isinstance(source, bytes) else source.read_bytes()
        answer = self.http.post("/v1/jobs", files={"file": (name, content)}, data=form, headers=headers)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["job_id"])

    def job(self, job_id: str) -> dict[str, Any]:
        answer = self.http.get(f"/v1/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def wait(self, job_id: str, within_s: float = JOB_LIMIT_S) -> dict[str, Any]:
        def ended() -> dict[str, Any] | None:
            job = self.job(job_id)
            return job if job["status"] in ENDED else None

        return dict(wait_until(ended, f"job {job_id}", within_s))

    def artifact(self, job_id: str, name: str) -> bytes:
        answer = self.http.get(f"/v1/jobs/{job_id}/artifacts/{name}")
        assert answer.status_code == 200, answer.text
        return answer.content

    def stop(self, signal_number: int = signal.SIGINT) -> float:
        """End it; the seconds it took."""
        self.http.close()
        begun = time.monotonic()
        self.process.send_signal(signal_number)
        self.process.wait(60)
        return time.monotonic() - begun


def start(home: Path, command: Sequence[str] = (), **environment: str) -> Lectern:
    """Start the system by `command`, by default as a user does."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("LECTERN_", "OTEL_"))}
    with (home.parent / f"{home.name}.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *(command or ("services.cli.main", "up", "--home", str(home)))],
            cwd=ROOT,
            env=clean | environment,
            stdout=log,
            stderr=log,
        )
    return Lectern(home, process)


@contextmanager
def running(home: Path, command: Sequence[str] = (), **environment: str) -> Iterator[Lectern]:
    system = start(home, command, **environment)
    try:
        yield system
    finally:
        if system.process.poll() is None:
            system.stop()


def opening(folder: Path) -> Path:
    """The first minute of the bundled lecture: enough speech to be disturbed at."""
    path = folder / "opening.mp4"
    cut = ("ffmpeg", "-v", "error", "-i", str(SAMPLES / "lecture.mp4"), "-t", "60", "-c", "copy", str(path))
    subprocess.run(cut, check=True)
    return path


def publish_submission(lectern: Lectern, source: dict[str, str]) -> str:
    """Submit by an event, as another system does; the job's id."""
    job_id = str(uuid.uuid4())
    connection = pika.BlockingConnection(pika.URLParameters(lectern.state["amqp_url"]))
    channel = connection.channel()
    channel.confirm_delivery()
    channel.basic_publish(
        "lectern.events",
        "job.submitted.v1",
        json.dumps({"job_id": job_id, "source": source}).encode(),
        pika.BasicProperties(content_type="application/json", delivery_mode=2),
        mandatory=True,
    )
    connection.close()
    wait_until(lambda: lectern.http.get(f"/v1/jobs/{job_id}").status_code == 200, "the job", 20)
    return job_id
