"""Settings of every service: read from the environment, checked at start, every fault named at once (OPS-1)."""

import sys
from pathlib import Path
from typing import Annotated, Literal, NoReturn, TypeVar

from pydantic import AnyUrl, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def _split_numbers(value: object) -> object:
    return [float(part) for part in value.split(",")] if isinstance(value, str) else value


class SharedSettings(BaseSettings):
    """What all five services have in common. Every name is an environment variable with the prefix `LECTERN_`."""

    model_config = SettingsConfigDict(env_prefix="LECTERN_", extra="ignore", frozen=True)

    home: Annotated[Path, Field(description="State folder: objects, logs, keys and the embedded servers' data.")] = (
        Path(".lectern")
    )
    amqp_url: Annotated[SecretStr, Field(description="RabbitMQ, `amqp://user:password@host:port/vhost`.")] = SecretStr(
        "amqp://guest:guest@127.0.0.1:5672/"
    )
    mongo_url: Annotated[
        SecretStr, Field(description="MongoDB or a compatible server, `mongodb://host:port/?options`.")
    ] = SecretStr("mongodb://127.0.0.1:27017/?directConnection=true&retryWrites=false")
    mongo_prefix: Annotated[
        str,
        Field(pattern=r"^[a-z][a-z0-9_]{0,30}$", description="Each service's database is `<prefix>_<service>`."),
    ] = "lectern"
    slow_query_ms: Annotated[
        float,
        Field(
            ge=0,
            description="Database commands that take so many milliseconds or more are logged: what they search, "
            "without values, and the index that serves them.",
        ),
    ] = 100.0
    storage: Annotated[
        Literal["local", "s3"], Field(description="Where objects are kept: files under the state folder, or S3.")
    ] = "local"
    s3_endpoint: Annotated[
        AnyUrl | None, Field(description="Endpoint of an S3 server; leave empty for Amazon's own.")
    ] = None
    s3_bucket: Annotated[str, Field(description="Bucket that holds the objects.")] = "lectern"
    s3_region: Annotated[str, Field(description="Region of the bucket.")] = "us-east-1"
    s3_access_key: Annotated[
        SecretStr | None, Field(description="Access key id; empty: the machine's own credentials.")
    ] = None
    s3_secret_key: Annotated[SecretStr | None, Field(description="Secret access key.")] = None
    speech_model: Annotated[
        Path | None,
        Field(
            description="Folder of a Whisper model in CTranslate2 form; unset: the English one that is installed. A "
            "job keeps the name of the folder: the gateway and transcription must agree on it."
        ),
    ] = None
    retry_delays_s: Annotated[
        tuple[Annotated[float, Field(gt=0, le=600)], ...],
        NoDecode,
        BeforeValidator(_split_numbers),
        Field(
            min_length=1,
            max_length=8,
            description="Waiting times before each further attempt at a message, comma-separated, up to 600 s; "
            "after the last one it goes to the dead-letter queue. All services must agree.",
        ),
    ] = (5.0, 30.0, 120.0, 600.0)
    dependency_patience_s: Annotated[
        float,
        Field(
            gt=0,
            description="How long a message waits for a database or storage that is away before it goes to the "
            "dead-letter queue; such waiting uses up no attempt.",
        ),
    ] = 86_400.0
    health_every_s: Annotated[
        float,
        Field(
            ge=0,
            le=600,
            description="How often at most readiness is tried by real work: a write and a read of the database, a "
            "publish, an object put and fetched. In between, the last result is told.",
        ),
    ] = 10.0
    shutdown_s: Annotated[
        float,
        Field(
            gt=0,
            le=600,
            description="How long running work may finish when a service is told to stop. Whoever stops it has to wait "
            "two seconds longer, as `lectern up` does, before it is killed.",
        ),
    ] = 4.0
    engine_total_mb: Annotated[
        int,
        Field(
            ge=200,
            description="Memory that the engines of one service may have resident together, with the programs that "
            "they start, in MB. Above it idle engines are ended, then the one that is nearest to its own limit.",
        ),
    ] = 2200
    engine_cpu_s: Annotated[
        int, Field(ge=1, description="Processor time that one call of an engine may take, in seconds.")
    ] = 2400
    engine_file_mb: Annotated[
        int, Field(ge=1, description="Largest file that an engine may write, in MB: six hours of sound are 1,400.")
    ] = 4096
    engine_programs: Annotated[
        int, Field(ge=1, description="How many programs (ffmpeg, tesseract) an engine may have running at once.")
    ] = 32
    engine_idle_s: Annotated[
        float, Field(gt=0, description="After so many seconds without work an engine that has grown is ended.")
    ] = 30.0
    engine_idle_mb: Annotated[
        int, Field(ge=0, description="Memory from which an idle engine counts as grown, in MB.")
    ] = 200
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Field(description="Least level logged.")] = (
        "info"
    )
    log_format: Annotated[
        Literal["auto", "console", "json"],
        Field(description="Log lines as JSON objects or as coloured text; `auto`: text on a terminal, JSON elsewhere."),
    ] = "auto"
    host: Annotated[str, Field(description="Address that the services' HTTP ports are bound to.")] = "127.0.0.1"


S = TypeVar("S", bound=BaseSettings)


def load(kind: type[S]) -> S:
    """Read settings of `kind` from the environment; on faults print every one and end the process with status 2."""
    try:
        return kind()
    except ValidationError as error:
        _end_with(_faults(kind, error))


def load_service(kind: type[S]) -> tuple[SharedSettings, S]:
    """The shared settings and those of one service; the faults of both are printed together."""
    faults: list[str] = []
    try:
        shared: SharedSettings | None = SharedSettings()
    except ValidationError as error:
        shared = None
        faults += _faults(SharedSettings, error)
    try:
        own: S | None = kind()
    except ValidationError as error:
        own = None
        faults += _faults(kind, error)
    if shared is None or own is None:
        _end_with(faults)
    return shared, own


def _faults(kind: type[BaseSettings], error: ValidationError) -> list[str]:
    prefix = str(kind.model_config.get("env_prefix", ""))
    faults = []
    for fault in error.errors(include_input=False, include_url=False):
        name = "".join(str(part).upper() for part in fault["loc"][:1])
        place = "".join(f", value {part + 1}" for part in fault["loc"][1:] if isinstance(part, int))
        faults.append(f"Setting {prefix}{name}{place}: {fault['msg']}\n")
    return faults


def _end_with(faults: list[str]) -> NoReturn:
    sys.stderr.write("".join(faults))
    sys.stderr.write("Correct these settings and start again. docs/configuration.md lists all of them.\n")
    raise SystemExit(2) from None
