"""The handout as one self-contained HTML file: no script, no request, escaped by Jinja2 (REN-4)."""

import base64
from collections.abc import Mapping
from pathlib import Path

import jinja2

from services.rendering.domain.view import HandoutView
from services.rendering.formats.pictures import PreparedPicture

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"


def html(view: HandoutView, pictures: Mapping[str, PreparedPicture]) -> bytes:
    """The whole page, pictures included as data URIs."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["data_uri"] = _data_uri
    return environment.get_template("handout.html.j2").render(view=view, pictures=pictures).encode()


def _data_uri(path: Path) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(path.read_bytes()).decode()
