"""Settings of the gateway."""

from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class GatewaySettings(BaseSettings):
    """What the gateway alone needs. Every name is an environment variable with the prefix `GATEWAY_`."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_", extra="ignore", frozen=True)

    port: Annotated[int, Field(ge=0, le=65535, description="Port of the API and of the web page.")] = 8080
    max_upload_bytes: Annotated[int, Field(ge=1, description="Largest source taken; larger ones are refused.")] = (
        4 << 30
    )
    bootstrap_key: Annotated[
        SecretStr | None,
        Field(min_length=20, description="API key of the user `local`; empty: made at first start, kept in `api-key`."),
    ] = None
    session_hours: Annotated[float, Field(gt=0, le=8760, description="How long a sign-in of the page lasts.")] = 168.0
    sign_in_link_s: Annotated[float, Field(gt=0, le=86400, description="How long a one-time link can be used.")] = 900.0
    poll_s: Annotated[
        float, Field(gt=0, le=60, description="How often a stream of events looks for what another replica wrote.")
    ] = 0.5
    heartbeat_s: Annotated[float, Field(gt=0, le=300, description="Pause between heartbeats of a quiet stream.")] = 15.0
    sweep_s: Annotated[float, Field(gt=0, le=600, description="Pause between looks for unpublished jobs.")] = 2.0
    unpublished_s: Annotated[
        float, Field(ge=0, le=600, description="Age from which an accepted job that is unpublished is published again.")
    ] = 5.0
