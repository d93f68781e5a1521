"""Settings of the analysis service."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class AnalysisSettings(BaseSettings):
    """Environment variables with the prefix `ANALYSIS_`."""

    model_config = SettingsConfigDict(env_prefix="ANALYSIS_", extra="ignore", frozen=True)

    health_port: Annotated[int, Field(ge=1, le=65535, description="Port of the health page.")] = 8103
    timeout_s: Annotated[float, Field(gt=0, description="Longest time that analysing one source may take.")] = 600.0
