"""What a job of the chaos run is to do, written into its own source: a line of JSON, then padding."""

import hashlib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

POISON_MESSAGE = "This source is poisoned. Nothing can be made of it."
UNIT_S = 60.0
PREPARE, GUIDE, RENDER = "prepare", "guide", "render"


class Content(BaseModel):
    """Instructions to the engines. Two sources of equal content are equal byte by byte, and so is all made of them.

    Units go by the product's names (`speech-1`, `slides-1`, `pages-2`) and, where a stage is one piece, by PREPARE,
    GUIDE and `render`; products by `render-pdf`. `flaky` says how often a unit fails before it works, `mendable`
    units fail until the run says that the job is mended, `poisoned` ones never work, `limited` ones meet a limit,
    `slow` ones take `slow_s`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: Literal["recording", "document"] = "recording"
    units: Annotated[int, Field(ge=1, le=8)] = 1
    slides: Annotated[int, Field(ge=0, le=3)] = 0
    work_ms: Annotated[int, Field(ge=0, le=2000)] = 20
    flaky: dict[str, int] = Field(default_factory=dict)
    poisoned: str | None = None
    mendable: str | None = None
    limited: str | None = None
    slow: tuple[str, ...] = ()
    slow_s: float = 0.0
    missing: tuple[str, ...] = ()
    padding: int = 0

    def source(self) -> bytes:
        """The file that is submitted."""
        return self.line() + b"\n" + b"." * self.padding

    def line(self) -> bytes:
        """The instructions alone."""
        return self.model_dump_json(exclude_defaults=True).encode()

    def result_of(self, what: str) -> str:
        """The result of `what`: a function of the content alone."""
        return hashlib.sha256(self.line() + b"\0" + what.encode()).hexdigest()

    @property
    def may_fail(self) -> bool:
        """Whether a unit of it may end among the dead letters."""
        return self.poisoned is not None or self.mendable is not None

    @property
    def is_plain(self) -> bool:
        """Whether the job ends well without anybody's help."""
        return not self.may_fail and not self.is_partial

    @property
    def is_partial(self) -> bool:
        """Whether the job ends with something missing."""
        return bool(self.missing or self.limited)


def content_in(path: Path) -> Content:
    """The instructions in the source at `path`."""
    with path.open("rb") as file:
        return Content.model_validate_json(file.readline())
