"""What a job asks for, frozen at submission. It travels in every message about the job."""

import hashlib
import json
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Product = Literal["pdf", "html", "markdown", "captions", "data", "pictures"]
PRODUCTS: tuple[Product, ...] = ("pdf", "html", "markdown", "captions", "data", "pictures")


def _in_order(products: tuple[Product, ...]) -> tuple[Product, ...]:
    """Each product once, in the order of PRODUCTS: equal wishes are equal parameters."""
    return tuple(product for product in PRODUCTS if product in products)


class Contract(BaseModel):
    """A frozen part of a message. Unknown fields are ignored, so that a newer publisher can add some."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Engines(Contract):
    """Which engine does each kind of work where there is a choice, by name; null: the one that its service has."""

    speech: Annotated[
        str | None,
        Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="Speech model.", examples=["base.en"]),
    ] = None


class Parameters(Contract):
    """What was asked for, frozen at submission; part of the key of every result."""

    paper: Annotated[Literal["a4", "us-letter"], Field(description="Paper size of the PDF.")] = "a4"
    language: Annotated[
        str, Field(pattern=r"^[a-z]{2,3}$", description="Language spoken, ISO 639.", examples=["en"])
    ] = "en"
    unit_s: Annotated[int, Field(ge=30, le=1200, description="Target length of a speech unit in seconds.")] = 300
    required: Annotated[
        tuple[Product, ...],
        AfterValidator(_in_order),
        Field(
            description="Products without which the job fails; any other that cannot be made leaves the job `partial`."
        ),
    ] = ("pdf",)
    engines: Engines = Engines()

    def digest(self) -> str:
        """Twelve hexadecimal digits that are equal for equal parameters only."""
        canonical = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]
