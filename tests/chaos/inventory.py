"""What lies in the object store, job by job."""

import asyncio
import hashlib
import re
from collections import defaultdict
from pathlib import Path

from tests.chaos.s3 import BUCKET, s3_client
from tests.chaos.stack import Stack

_KEY = re.compile(r"^(gateway/uploads|ingest|transcription|analysis|rendering)/([^/]+)/(.+)$")
_UPLOAD = re.compile(r"^[^/]+/source$")

Objects = dict[str, str]


def by_job(objects: Objects) -> dict[str, Objects]:
    """Objects by job, then by a key that says neither which job nor which upload; `?` has what is no job's."""
    found: dict[str, Objects] = defaultdict(dict)
    uploads: dict[str, int] = defaultdict(int)
    for key, digest in sorted(objects.items()):
        match = _KEY.match(key)
        if match is None:
            found["?"][key] = digest
            continue
        prefix, job_id, rest = match.groups()
        if prefix == "gateway/uploads" and _UPLOAD.match(rest):
            uploads[job_id] += 1
            rest = "source" if uploads[job_id] == 1 else f"source, number {uploads[job_id]}"
        found[job_id][f"{prefix}/{rest}"] = digest
    return dict(found)


async def take(stack: Stack) -> dict[str, Objects]:
    """All objects; digests are SHA-256 of local files and entity tags of S3 objects."""
    return by_job(await asyncio.to_thread(_in_s3 if stack.objects else _in_files, stack))


def _in_files(stack: Stack) -> Objects:
    root = stack.home / "objects"
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file()
    }


def _in_s3(stack: Stack) -> Objects:
    with s3_client(stack.s3) as client:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        return {item["Key"]: item["ETag"] for page in pages for item in page.get("Contents", ())}


def unfinished(stack: Stack) -> list[str]:
    """Half-written files, and uploads in parts that nobody finished."""
    if stack.objects is None:
        return [f"half-written file {path.name}" for path in (stack.home / "partial").iterdir()]
    with s3_client(stack.s3) as client:
        answer = client.list_multipart_uploads(Bucket=BUCKET)
        return [f"unfinished upload of {upload['Key']}" for upload in answer.get("Uploads", ())]


def leftovers(stack: Stack) -> list[str]:
    """Scratch folders of processes that are gone, and temporary files."""
    living = {str(unit.pid) for unit in stack.nursery.units if unit.pid}
    found = []
    for folder in (stack.home / "scratch").glob("*/*"):
        if folder.is_dir() and folder.name.partition("-")[0] not in living:
            found.append(f"scratch folder {_relative(folder, stack)} of a dead process")
        elif folder.is_dir():
            inside = [path.name for path in folder.iterdir() if path.name != "lock"]
            found += (
                [f"scratch folder {_relative(folder, stack)} of an idle process holds {inside[:3]}"] if inside else []
            )
    found += [f"temporary file {path.name}" for path in (stack.folder / "tmp").iterdir()]
    return found


def _relative(path: Path, stack: Stack) -> str:
    return path.relative_to(stack.home).as_posix()
