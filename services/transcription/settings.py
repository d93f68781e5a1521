"""Settings of the transcription service."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.time_limits import SOFT_TIMEOUT, HardTimeout, SoftTimeout


class TranscriptionSettings(BaseSettings):
    """Environment variables with the prefix `TRANSCRIPTION_`."""

    model_config = SettingsConfigDict(env_prefix="TRANSCRIPTION_", extra="ignore", frozen=True)

    health_port: Annotated[int, Field(ge=1, le=65535, description="Port of the health page.")] = 8102
    lanes: Annotated[
        int,
        Field(
            ge=0,
            le=1000,
            description="How many units of each kind a source has in its queue or at work at once, so that others get "
            "their turn. 0: as many as replicas take such units when the source arrives. Where replicas are added by "
            "the depth of queues, set it, such as to 16: a queue kept short would ask for none.",
        ),
    ] = 0
    speech_threads: Annotated[int, Field(ge=1, le=64, description="Processor threads of speech recognition.")] = 2
    # RabbitMQ takes a message back after 30 minutes; the last unit of a source is followed by the join.
    speech_timeout_s: Annotated[
        HardTimeout, Field(description="Longest time that recognising one unit may take, in seconds.")
    ] = 1200.0
    speech_soft_timeout_s: Annotated[SoftTimeout, Field(description=SOFT_TIMEOUT)] = None
    speech_memory_mb: Annotated[
        int, Field(ge=100, description="Memory that recognising speech may take, with the programs it starts, in MB.")
    ] = 1300
    slides_threads: Annotated[int, Field(ge=1, le=64, description="Processor threads of reading slides.")] = 2
    slides_timeout_s: Annotated[
        HardTimeout, Field(description="Longest time that finding the slides of one span may take, in seconds.")
    ] = 1200.0
    slides_soft_timeout_s: Annotated[SoftTimeout, Field(description=SOFT_TIMEOUT)] = None
    slides_memory_mb: Annotated[
        int, Field(ge=100, description="Memory that finding slides may take, with the programs it starts, in MB.")
    ] = 900
    page_quick_s: Annotated[
        HardTimeout,
        Field(
            description="A page that takes longer, in seconds, is read beside the others, so that none waits for it."
        ),
    ] = 20.0
    page_timeout_s: Annotated[
        HardTimeout, Field(description="Longest time that such a page may take then, in seconds.")
    ] = 40.0
    # Four ranges are in hand at once and may wait for each other: all must end, each with a last page and one with the
    # join, before RabbitMQ takes them back, after 30 minutes.
    pages_timeout_s: Annotated[
        HardTimeout,
        Field(description="Longest time of work, in seconds, that reading one range of pages may take; not its waits."),
    ] = 300.0
    pages_lost_s: Annotated[
        float,
        Field(
            ge=0,
            description="When the pages of a document that met a limit took so many seconds, its other pages are left "
            "out.",
        ),
    ] = 150.0
    pages_soft_timeout_s: Annotated[
        SoftTimeout, Field(description="Without effect since pages are read one by one.")
    ] = None
    pages_memory_mb: Annotated[
        int, Field(ge=100, description="Memory that reading pages may take, with the programs it starts, in MB.")
    ] = 700
    join_timeout_s: Annotated[
        HardTimeout, Field(description="Longest time that joining all units may take, in seconds.")
    ] = 300.0
    join_soft_timeout_s: Annotated[SoftTimeout, Field(description=SOFT_TIMEOUT)] = None
    join_memory_mb: Annotated[
        int, Field(ge=100, description="Memory that joining all units may take, with the programs it starts, in MB.")
    ] = 600
