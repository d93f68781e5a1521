"""Which pages of a PDF can have no text layer, found without reading what is on them."""

from pathlib import Path

import pikepdf

_MOST_FORMS = 50  # looked into for a page; one that has more counts as having text


def pages_without_fonts(path: Path) -> frozenset[int]:
    """The pages (from 1) that have no font at hand: whatever text they show has to be recognised.

    A page whose content cannot be told, or a file that cannot be opened, counts as having text.
    """
    try:
        with pikepdf.open(path, suppress_warnings=True) as document:
            return frozenset(number for number, page in enumerate(document.pages, 1) if not _may_have_text(page))
    except (pikepdf.PdfError, RuntimeError, ValueError):
        return frozenset()


def _may_have_text(page: pikepdf.Page) -> bool:
    try:
        return _has_font(page.resources)
    except (pikepdf.PdfError, RuntimeError, ValueError, TypeError, AttributeError, KeyError):
        return True


def _has_font(resources: pikepdf.Object) -> bool:
    """Whether a font is named in `resources` or in those of the forms that they name."""
    waiting, seen = [resources], set[tuple[int, int]]()
    while waiting:
        found = waiting.pop()
        if len(found.get("/Font", {})):
            return True
        for drawn in dict(found.get("/XObject", {})).values():
            if drawn.get("/Subtype") != "/Form" or drawn.objgen in seen:
                continue
            seen.add(drawn.objgen)
            if len(seen) > _MOST_FORMS:
                return True
            if "/Resources" in drawn:
                waiting.append(drawn["/Resources"])
    return False
