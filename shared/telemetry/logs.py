"""Log lines: JSON for machines, colours on a terminal; each says which job, unit and trace it is about (OPS-2)."""

import asyncio
import logging
import sys
from collections.abc import Callable, MutableMapping
from typing import Any, Literal

import structlog
from opentelemetry import trace
from structlog.typing import EventDict, Processor

from shared.telemetry.work import current_work

LogFormat = Literal["auto", "console", "json"]

# Libraries whose every step would be a line.
_QUIET = ("aio_pika", "aiormq", "pymongo", "botocore", "httpx", "faster_whisper", "uvicorn.access", "fontTools")
# Libraries that warn of what strangers send, in their words.
_OF_STRANGERS = ("opentelemetry.baggage", "python_multipart")
# Libraries that tell a lost connection by the traceback of every place that notices it.
_TERSE = ("aio_pika", "aiormq", "aiobotocore", "botocore", "aiohttp", "asyncio")
_LONGEST = 300


def start_logging(service: str, level: str, form: LogFormat = "auto") -> None:
    """Log to standard error from now on, for structlog and for the standard library's loggers alike.

    `form`: one JSON object a line, or coloured text; `auto` is text where standard error is a terminal.
    """

    def add_service(_logger: Any, _method: str, entry: EventDict) -> EventDict:
        entry["service"] = service
        return entry

    readable = form == "console" or (form == "auto" and sys.stderr.isatty())
    common: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if readable else "iso", utc=not readable),
        add_service,
        add_work,
        _add_trace_ids,
    ]
    structlog.configure(
        processors=[*common, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*common, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *(_for_people() if readable else _for_machines()),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    _quieten(root.level)
    if root.level > logging.DEBUG:
        handler.addFilter(_in_one_line)


def _quieten(level: int) -> None:
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, level))
    for name in _OF_STRANGERS:
        logging.getLogger(name).setLevel(max(logging.ERROR, level))


def _for_machines() -> list[Processor]:
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]


def _for_people() -> list[Processor]:
    def shorten(_logger: Any, _method: str, entry: EventDict) -> EventDict:
        entry.pop("span_id", None)
        return entry

    plain = structlog.dev.plain_traceback
    return [shorten, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]


def add_work(_logger: Any, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Say what the work at hand is about, as far as the line does not."""
    for name, value in current_work().items():
        entry.setdefault(name, value)
    return entry


def _add_trace_ids(_logger: Any, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        entry["trace_id"] = trace.format_trace_id(context.trace_id)
        entry["span_id"] = trace.format_span_id(context.span_id)
    return entry


def _in_one_line(record: logging.LogRecord) -> bool:
    """Say an error of a library's connection in one line: whoever used the connection logs what came of it."""
    if record.name.partition(".")[0] in _TERSE and record.exc_info and record.exc_info[1] is not None:
        error = record.exc_info[1]
        text = f"{record.getMessage()} ({type(error).__name__}: {error})"
        record.msg, record.args, record.exc_info = text.replace("\n", " ")[:_LONGEST], (), None
    return True


def tell_background_errors(loop: asyncio.AbstractEventLoop) -> Callable[[], None]:
    """Log what nobody waits for (a task of a library that failed, a callback) in one line each; what undoes that.

    asyncio would log a traceback of many lines when an object is collected, long after the fact.
    """
    log = structlog.get_logger()
    before = loop.get_exception_handler()

    def tell(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        known = isinstance(error, OSError | ConnectionError) or type(error).__module__.partition(".")[0] in _TERSE
        log.warning(
            "error in the background",
            what=str(context.get("message"))[:_LONGEST],
            error=type(error).__name__,
            text=str(error)[:_LONGEST],
            exc_info=None if known else error,
        )

    loop.set_exception_handler(tell)
    return lambda: loop.set_exception_handler(before)
