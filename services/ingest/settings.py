"""Settings of the ingest service."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.ingest.domain.values import Limits
from shared.time_limits import SOFT_TIMEOUT, HardTimeout, SoftTimeout

_DEFAULT = Limits()


class IngestSettings(BaseSettings):
    """Environment variables with the prefix `INGEST_`."""

    model_config = SettingsConfigDict(env_prefix="INGEST_", extra="ignore", frozen=True)

    health_port: Annotated[int, Field(ge=1, le=65535, description="Port of the health page.")] = 8101
    max_size_bytes: Annotated[int, Field(ge=1, description="Largest source in bytes.")] = _DEFAULT.max_size_bytes
    max_duration_s: Annotated[float, Field(gt=0, description="Longest recording in seconds.")] = _DEFAULT.max_duration_s
    max_pages: Annotated[int, Field(ge=1, description="Most pages of a document.")] = _DEFAULT.max_pages
    max_scanned_pages: Annotated[
        int, Field(ge=1, description="Most pages of a document that have no text layer, so that it is recognised.")
    ] = _DEFAULT.max_scanned_pages
    slide_range_s: Annotated[
        float, Field(ge=60, description="Length of the spans of video in which slides are looked for, in seconds.")
    ] = 600.0
    pages_per_unit: Annotated[int, Field(ge=1, le=200, description="Pages read as one unit of work.")] = 16
    scans_per_unit: Annotated[
        int, Field(ge=1, le=200, description="Pages without a text layer that are read as one unit of work.")
    ] = 3
    preparations: Annotated[
        int,
        Field(
            ge=1,
            le=32,
            description="How many sources are prepared at once, each with INGEST_MEMORY_MB at most. Above "
            "GATEWAY_JOBS_IN_FLIGHT, no user's long recordings keep the others waiting.",
        ),
    ] = 3
    # One message more than that is in hand: it waits for one other, and both must end before RabbitMQ takes them back,
    # after 30 minutes.
    timeout_s: Annotated[
        HardTimeout, Field(description="Longest time that preparing one source may take, in seconds.")
    ] = 800.0
    soft_timeout_s: Annotated[SoftTimeout, Field(description=SOFT_TIMEOUT)] = None
    memory_mb: Annotated[
        int, Field(ge=100, description="Memory that preparing a source may take, with the programs it starts, in MB.")
    ] = 700

    def limits(self) -> Limits:
        """What a source may be at most."""
        return Limits(
            max_size_bytes=self.max_size_bytes,
            max_duration_s=self.max_duration_s,
            max_pages=self.max_pages,
            max_scanned_pages=self.max_scanned_pages,
        )
