"""What the checkpoint of a unit holds: references to its result and its pictures."""

from pydantic import Field

from shared.documents import Value
from shared.storage import ObjectRef


class Stored(Value):
    """`result` is the unit as JSON; `pictures` are the PNG files that it names, by those names."""

    result: ObjectRef
    pictures: dict[str, ObjectRef] = Field(default_factory=dict)
