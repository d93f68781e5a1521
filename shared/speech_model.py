"""What the speech model is called: the name that a job keeps from its submission on (PIP-1)."""

import re
from pathlib import Path

INSTALLED = "tiny.en"


def speech_model_name(folder: Path | None) -> str:
    """The last part of the model's folder; without one, the name of the model that is installed with Lectern."""
    if folder is None:
        return INSTALLED
    name = re.sub(r"[^A-Za-z0-9._-]", "-", folder.resolve().name)[:64].lstrip("._-")
    return name or "model"
