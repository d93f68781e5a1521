"""What the checkpoint of a unit holds, and what the join makes of all units."""

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from shared.documents import WRITTEN_IF_SET, SourceDocument, Transcript, Value
from shared.storage import ObjectRef


class Stored(Value):
    """`result` is the unit as JSON; `pictures` are the PNG files that it names, by those names.

    `missing` are sentences about what could not be done, and `lost_s` the seconds that were spent on it in vain.
    """

    result: ObjectRef
    pictures: dict[str, ObjectRef] = Field(default_factory=dict)
    missing: tuple[str, ...] = ()
    lost_s: Annotated[float, WRITTEN_IF_SET] = 0.0


@dataclass(frozen=True)
class AssembledSource:
    """A document, its transcript, and where its pictures come from: name -> (unit, name of the file there)."""

    document: SourceDocument
    transcript: Transcript | None = None
    pictures: dict[str, tuple[str, str]] = field(default_factory=dict)
