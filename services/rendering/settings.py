"""Settings of the rendering service."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class RenderingSettings(BaseSettings):
    """Environment variables with the prefix `RENDERING_`."""

    model_config = SettingsConfigDict(env_prefix="RENDERING_", extra="ignore", frozen=True)

    health_port: Annotated[int, Field(ge=1, le=65535, description="Port of the health page.")] = 8104
    timeout_s: Annotated[float, Field(gt=0, description="Longest time that making one handout may take.")] = 600.0
    system_fonts: Annotated[
        bool, Field(description="Use this machine's fonts for scripts that the shipped ones lack, such as Chinese.")
    ] = True
