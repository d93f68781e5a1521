"""The page that shows the reference of the API."""

from functools import lru_cache

from fastapi import FastAPI

from services.gateway.web.reference.document import Reference, reference_of
from services.gateway.web.templates import render


def api_page(app: FastAPI, *, address: str) -> str:
    """The HTML of the reference of `app`, which its callers reach at `address`."""
    reference, operations = _reference(app)
    return render("api_reference.html", reference=reference, operations=operations, address=address)


@lru_cache(maxsize=1)
def _reference(app: FastAPI) -> tuple[Reference, str]:
    """What is the same for everybody. It takes 20 ms to make, and callers need not be known."""
    reference = reference_of(app.openapi())
    return reference, render("api_operations.html", reference=reference)
