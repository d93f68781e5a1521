"""Which files a command line names: files, folders, standard input."""

import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from services.cli.connection import CommandError

STANDARD_INPUT = "-"
# What a folder's files are chosen by; a file that is named itself may be called anything.
_RECORDINGS = (
    "3gp aac aif aiff amr avi flac flv m2ts m4a m4b m4v mka mkv mov mp3 mp4 mpeg mpg mts oga ogg ogv opus "
    "wav webm wma wmv"
)
SUFFIXES = frozenset(f".{suffix}" for suffix in (*_RECORDINGS.split(), "pdf"))
_NUMBER = re.compile(r"(\d+)")


@dataclass(frozen=True)
class Source:
    """A file to send. `name` is what it is to be called, `given` how messages speak of it."""

    path: Path
    name: str
    given: str


@dataclass(frozen=True)
class Remark:
    """What was not sent, and why."""

    given: str
    reason: str


@dataclass(frozen=True)
class Chosen:
    """What was found: `skipped` was left out on purpose, `faults` cannot be sent."""

    sources: tuple[Source, ...]
    skipped: tuple[Remark, ...] = ()
    faults: tuple[Remark, ...] = ()


@contextmanager
def chosen_sources(given: Sequence[str], *, recursive: bool, name: str) -> Iterator[Chosen]:
    """The files that `given` names, each once. What came by standard input is called `name` and is kept until the end.

    Raises CommandError when standard input is a terminal, is empty, or cannot be kept.
    """
    with tempfile.TemporaryDirectory(prefix="lectern-") as folder:
        found: dict[Path, Source] = {}
        skipped: list[Remark] = []
        faults: list[Remark] = []
        for one in dict.fromkeys(given):
            path = Path(one)
            if one == STANDARD_INPUT:
                kept = _keep_standard_input(Path(folder))
                found[kept] = Source(kept, name, "standard input")
            elif path.is_dir():
                for source in _files_of(path, skipped, faults, recursive=recursive):
                    found.setdefault(source.path.resolve(), source)
            elif path.exists():
                found.setdefault(path.resolve(), Source(path, path.name, one))
            else:
                faults.append(Remark(one, "It does not exist."))
        yield Chosen(tuple(found.values()), tuple(skipped), tuple(faults))


def check_file(path: Path) -> None:
    """Raises CommandError where `path` is no file that has something in it and can be read."""
    try:
        status = path.stat()
    except FileNotFoundError:
        raise CommandError(f"{path} does not exist.", exit_status=2) from None
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.", exit_status=2) from None
    if stat.S_ISDIR(status.st_mode):
        said = "is a folder: name one file in it, or send all of them by `lectern submit` once Lectern runs."
    elif not stat.S_ISREG(status.st_mode):
        said = "is no file."
    elif not os.access(path, os.R_OK):
        said = "cannot be read: you have no permission."
    elif not status.st_size:
        said = "is empty: there is nothing in it to make a handout of."
    else:
        return
    raise CommandError(f"{path} {said}", exit_status=2)


def _keep_standard_input(folder: Path) -> Path:
    """A file with all of standard input: an upload whose line breaks is sent again from its beginning."""
    if _is_terminal():
        raise CommandError("Standard input is a terminal: send a file into it, as in `lectern submit - < FILE`.")
    kept = folder / "standard-input"
    try:
        with kept.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file, 1 << 20)
    except OSError as error:
        raise CommandError(f"Standard input cannot be kept in {folder}: {error.strerror}.") from None
    if not kept.stat().st_size:
        raise CommandError("Standard input is empty.")
    return kept


def _is_terminal() -> bool:
    return sys.stdin.isatty()


def _files_of(folder: Path, skipped: list[Remark], faults: list[Remark], *, recursive: bool) -> Iterator[Source]:
    """The recordings and documents of a folder in the order that people number them; hidden files are not looked at."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: _natural(entry.name))
    except OSError as error:
        faults.append(Remark(str(folder), f"It cannot be read: {error.strerror}."))
        return
    for entry in entries:
        path = folder / entry.name
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            if recursive:
                yield from _files_of(path, skipped, faults, recursive=True)
            else:
                skipped.append(Remark(str(path), "a folder; --recursive takes it too"))
        elif not entry.is_file():
            skipped.append(Remark(str(path), "not a file"))
        elif path.suffix.lower() not in SUFFIXES:
            skipped.append(Remark(str(path), "not named like a recording or a PDF"))
        else:
            yield Source(path, path.name, str(path))


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorts `week-2` before `week-10`."""
    return [(int(part), "") if part.isdecimal() else (0, part.casefold()) for part in _NUMBER.split(name)]
