"""Settings of the rendering service."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.time_limits import SOFT_TIMEOUT, HardTimeout, SoftTimeout


class RenderingSettings(BaseSettings):
    """Environment variables with the prefix `RENDERING_`."""

    model_config = SettingsConfigDict(env_prefix="RENDERING_", extra="ignore", frozen=True)

    health_port: Annotated[int, Field(ge=1, le=65535, description="Port of the health page.")] = 8104
    # Two messages of six products each are in hand at once: all must end before RabbitMQ takes them back, after 30 min.
    timeout_s: Annotated[
        HardTimeout, Field(description="Longest time that making one product of a handout may take, in seconds.")
    ] = 120.0
    soft_timeout_s: Annotated[SoftTimeout, Field(description=SOFT_TIMEOUT)] = None
    memory_mb: Annotated[
        int,
        Field(
            ge=100,
            description="Memory that making a product of a handout may take, with the programs it starts, in MB.",
        ),
    ] = 1200
    system_fonts: Annotated[
        bool, Field(description="Use this machine's fonts for scripts that the shipped ones lack, such as Chinese.")
    ] = True
