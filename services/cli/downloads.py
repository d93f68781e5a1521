"""Fetches the files of a job, verified by their hashes, never outside of the folder they are meant for."""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from services.cli.client import Client, Job
from services.cli.connection import CommandError
from shared.names import sanitise_name

_NAME = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)?\.[A-Za-z0-9]+")


@dataclass(frozen=True)
class Fetched:
    """A file that lies at `path` now."""

    name: str
    path: Path
    size: int
    sha256: str


def folder_name(job: Job) -> str:
    """A folder's name for a job: `week-3-0192f3c4`."""
    stem = PurePosixPath(sanitise_name(str(job["source"]["name"]))).stem or "handout"
    return f"{sanitise_name(stem)[:80].rstrip(' .')}-{sanitise_name(str(job['job_id']))[:8]}"


def safe_path(folder: Path, name: str) -> Path:
    """Where the artefact `name` goes inside `folder`. Raises CommandError if that would be elsewhere."""
    path = folder / name
    if not _NAME.fullmatch(name) or not path.parent.resolve().is_relative_to(folder.resolve()):
        raise CommandError(f"The gateway named a file that may not be written: {name[:100]!r}.")
    return path


def fetch(client: Client, job: Job, folder: Path) -> list[Fetched]:
    """Fetch every artefact of `job` into `folder`. Raises CommandError when one cannot be had as it was made."""
    if not job["artifacts"]:
        return []
    try:
        return list(_fetch_all(client, job, folder))
    except OSError as error:
        raise CommandError(f"{error.filename or folder} cannot be written: {error.strerror}.") from None


def _fetch_all(client: Client, job: Job, folder: Path) -> Iterator[Fetched]:
    folder.mkdir(parents=True, exist_ok=True)
    for artifact in job["artifacts"]:
        path = safe_path(folder, str(artifact["name"]))
        path.parent.mkdir(exist_ok=True)
        if not _is_there(path, artifact["sha256"]):
            _fetch_one(client, artifact["url"], path, artifact["sha256"])
        yield Fetched(artifact["name"], path.resolve(), path.stat().st_size, artifact["sha256"])


def _is_there(path: Path, sha256: str) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256


def _fetch_one(client: Client, url: str, path: Path, sha256: str) -> None:
    digest = hashlib.sha256()
    handle, partial = tempfile.mkstemp(dir=path.parent, prefix=".lectern-")
    try:
        with os.fdopen(handle, "wb") as file, client.download(url) as chunks:
            for chunk in chunks:
                file.write(chunk)
                digest.update(chunk)
        if digest.hexdigest() != sha256:
            raise CommandError(f"{path.name} arrived damaged. Fetch it again.")
        Path(partial).chmod(0o644)
        Path(partial).replace(path)
    finally:
        Path(partial).unlink(missing_ok=True)
