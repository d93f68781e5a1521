"""Secrets made on this machine and kept in the state folder, readable by their owner alone."""

import json
import os
import secrets
from pathlib import Path

from pydantic import BaseModel


class Credentials(BaseModel, frozen=True):
    """The login of one private server."""

    user: str
    password: str


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step by one of mode 0600: a reader sees the old text or the new, never half of it."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)  # there still, where the disk is full


def private_folder(path: Path) -> Path:
    """Make a folder (and those above it) that only its owner can enter. Returns it."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    return path


def credentials(path: Path) -> Credentials:
    """The credentials in `path`, made at random the first time."""
    if path.exists():
        return Credentials.model_validate(json.loads(path.read_text()))
    made = Credentials(user=f"lectern-{secrets.token_hex(4)}", password=secrets.token_urlsafe(24))
    write_private(path, made.model_dump_json())
    return made
