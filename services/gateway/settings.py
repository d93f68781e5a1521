"""Settings of the gateway."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from services.gateway.trace_url import checked_template


def _split_names(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


class GatewaySettings(BaseSettings):
    """What the gateway alone needs. Every name is an environment variable with the prefix `GATEWAY_`."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_", extra="ignore", frozen=True)

    port: Annotated[int, Field(ge=0, le=65535, description="Port of the API and of the web page.")] = 8080
    max_upload_bytes: Annotated[int, Field(ge=1, description="Largest source taken; larger ones are refused.")] = (
        4 << 30
    )
    allowed_hosts: Annotated[
        tuple[Annotated[str, Field(pattern=r"^(\*|(\*\.)?[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])$")], ...],
        NoDecode,
        BeforeValidator(_split_names),
        Field(
            description="Host names that requests may be for, comma-separated, without a port; `*.example.org` is "
            "every name under it, `*` any name at all. Empty: the loopback address's names. The address that a "
            "connection is made to is always allowed."
        ),
    ] = ()
    max_connections: Annotated[
        int,
        Field(
            ge=16,
            description="Most open connections. Beyond it the one that has waited longest without a request is closed; "
            "bounded by the number of files that the process may open.",
        ),
    ] = 1000
    max_connections_per_address: Annotated[
        int,
        Field(
            ge=1,
            description="The same for one address; not counted on the loopback address. A proxy elsewhere speaks for "
            "all its users: raise it there.",
        ),
    ] = 100
    header_timeout_s: Annotated[
        float, Field(gt=0, le=3600, description="How long the headers of a request may take.")
    ] = 30.0
    idle_timeout_s: Annotated[
        float, Field(gt=0, le=3600, description="How long a connection may stay open between two requests.")
    ] = 30.0
    body_stall_s: Annotated[
        float,
        Field(
            gt=0, le=3600, description="Longest pause within a request's body, and the time that a small one may take."
        ),
    ] = 30.0
    body_bytes_per_s: Annotated[
        float, Field(gt=0, description="Slowest rate, in bytes a second on average, at which an upload may arrive.")
    ] = 1024.0
    bootstrap_key: Annotated[
        SecretStr | None,
        Field(min_length=20, description="API key of the user `local`; empty: made at first start, kept in `api-key`."),
    ] = None
    session_hours: Annotated[float, Field(gt=0, le=8760, description="How long a sign-in of the page lasts.")] = 168.0
    sign_in_link_s: Annotated[float, Field(gt=0, le=86400, description="How long a one-time link can be used.")] = 900.0
    trace_url: Annotated[
        str | None,
        AfterValidator(checked_template),
        Field(
            description="Where a trace can be seen, such as `http://localhost:16686/trace/{trace_id}`: the page and "
            "the API link to it.",
        ),
    ] = None
    poll_s: Annotated[
        float, Field(gt=0, le=60, description="How often a stream of events looks for what another replica wrote.")
    ] = 0.5
    heartbeat_s: Annotated[float, Field(gt=0, le=300, description="Pause between heartbeats of a quiet stream.")] = 15.0
    jobs_in_flight: Annotated[
        int,
        Field(
            ge=1,
            le=10_000,
            description="How many jobs of one user are worked on at a time; others wait. Users do not wait for each "
            "other's: raise it with the number of replicas.",
        ),
    ] = 2
    sweep_s: Annotated[
        float, Field(gt=0, le=600, description="Pause between looks for jobs that wait, are silent, or left half done.")
    ] = 2.0
    untold_s: Annotated[
        float,
        Field(ge=0, le=600, description="Age from which a cancellation, a deletion or an end is published again."),
    ] = 5.0
    orphans_every_s: Annotated[
        float, Field(gt=0, description="Pause between looks for expired jobs and orphaned uploads.")
    ] = 3600.0
    orphan_age_s: Annotated[float, Field(gt=0, description="Age from which an upload that is no job is removed.")] = (
        3600.0
    )
    failed_days: Annotated[
        float | None, Field(gt=0, description="Days until a failed or cancelled job is deleted; unset: never.")
    ] = None
    done_days: Annotated[
        float | None, Field(gt=0, description="Days until a finished job is deleted; unset: never.")
    ] = None
    # Longer than the longest unit with its retries takes: the delays alone are 755 s.
    silent_ingest_s: Annotated[
        float, Field(gt=0, description="Silence in a stage after which a job is published again, and then failed.")
    ] = 3600.0
    silent_transcription_s: Annotated[float, Field(gt=0, description="The same for transcription.")] = 7200.0
    silent_analysis_s: Annotated[float, Field(gt=0, description="The same for analysis.")] = 3600.0
    silent_rendering_s: Annotated[float, Field(gt=0, description="The same for rendering.")] = 3600.0
