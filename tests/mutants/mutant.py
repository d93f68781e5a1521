"""A mutant: one small change that quietly loses, doubles or leaks something, and the tests that have to notice."""

from dataclasses import dataclass
from pathlib import Path


class DoesNotApplyError(Exception):
    """The code that a mutant changes is not there, or there more than once."""


@dataclass(frozen=True)
class Change:
    """Replace `before`, which `file` holds exactly once, by `after`."""

    file: str
    before: str
    after: str

    def apply(self, root: Path) -> None:
        """Change the file under `root`. Raises DoesNotApplyError and leaves it as it was."""
        path = root / self.file
        text = path.read_text() if path.is_file() else ""
        if (found := text.count(self.before)) != 1:
            raise DoesNotApplyError(f"{self.file} holds the text to be changed {found} times")
        path.write_text(text.replace(self.before, self.after))


@dataclass(frozen=True)
class Mutant:
    """`harm` says what a user would suffer; `tests` are arguments of pytest that select what has to fail."""

    name: str
    harm: str
    changes: tuple[Change, ...]
    tests: tuple[str, ...]

    def apply(self, root: Path) -> None:
        """Carry out every change under `root`. Raises DoesNotApplyError."""
        for change in self.changes:
            change.apply(root)
