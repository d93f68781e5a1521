"""Every settings class of the system, and the environment variables that each one reads."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from services.analysis.settings import AnalysisSettings
from services.gateway.settings import GatewaySettings
from services.ingest.settings import IngestSettings
from services.rendering.settings import RenderingSettings
from services.transcription.settings import TranscriptionSettings
from shared.settings import SharedSettings

SETTINGS_OF: dict[str, type[BaseSettings]] = {
    "gateway": GatewaySettings,
    "ingest": IngestSettings,
    "transcription": TranscriptionSettings,
    "analysis": AnalysisSettings,
    "rendering": RenderingSettings,
}


@dataclass(frozen=True)
class Variable:
    """One setting: the environment variable, and the field it fills."""

    name: str
    field: str
    info: FieldInfo


def prefix_of(kind: type[BaseSettings]) -> str:
    """What the names of its variables begin with."""
    return str(kind.model_config.get("env_prefix", ""))


def variables(kind: type[BaseSettings]) -> Iterator[Variable]:
    """The variables of one class, in the order of its source."""
    for field, info in kind.model_fields.items():
        yield Variable(f"{prefix_of(kind)}{field}".upper(), field, info)


__all__ = ["SETTINGS_OF", "SharedSettings", "Variable", "prefix_of", "variables"]
