"""Settings of the analysis service."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.time_limits import SOFT_TIMEOUT, HardTimeout, SoftTimeout


class AnalysisSettings(BaseSettings):
    """Environment variables with the prefix `ANALYSIS_`."""

    model_config = SettingsConfigDict(env_prefix="ANALYSIS_", extra="ignore", frozen=True)

    health_port: Annotated[int, Field(ge=1, le=65535, description="Port of the health page.")] = 8103
    # Two messages are in hand at once: both must end before RabbitMQ takes them back, after 30 minutes.
    timeout_s: Annotated[
        HardTimeout, Field(description="Longest time that analysing one source may take, in seconds.")
    ] = 600.0
    soft_timeout_s: Annotated[SoftTimeout, Field(description=SOFT_TIMEOUT)] = None
    memory_mb: Annotated[
        int, Field(ge=100, description="Memory that analysing a source may take, with the programs it starts, in MB.")
    ] = 800
