"""Composition root of the gateway: settings, adapters, use cases, routes. Nothing happens at import."""

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any

from fastapi import Depends, FastAPI
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

from services.gateway import contracts
from services.gateway.allowed_hosts import AllowedHosts
from services.gateway.auth import key_routes
from services.gateway.auth import routes as auth_routes
from services.gateway.auth.authentication import Authentication
from services.gateway.auth.bootstrap import bootstrap
from services.gateway.auth.keys import ApiKeys
from services.gateway.auth.sessions import Sessions
from services.gateway.body_limits import BodyLimits
from services.gateway.compression import Compression
from services.gateway.dead_letters import routes as dead_letters_routes
from services.gateway.dead_letters.office import open_office
from services.gateway.headers import SecurityHeaders
from services.gateway.jobs import routes as jobs_routes
from services.gateway.jobs.admission import Admission
from services.gateway.jobs.ends import Ends
from services.gateway.jobs.handlers import Projection, register
from services.gateway.jobs.lifecycle import Lifecycle
from services.gateway.jobs.outlook import Outlook
from services.gateway.jobs.read_model import ReadModel
from services.gateway.jobs.submission import Submissions
from services.gateway.jobs.sweeper import Sweeper, Times
from services.gateway.jobs.wakeups import Wakeups
from services.gateway.jobs.watchdog import Limits, Watchdog
from services.gateway.lingering import LingeringRefusals
from services.gateway.methods import HeadAsGet
from services.gateway.parts import Gateway
from services.gateway.problems import install_problem_handlers
from services.gateway.queries import KnownQuery
from services.gateway.request_log import RequestLog
from services.gateway.settings import GatewaySettings
from services.gateway.web import routes as web_routes
from shared import API_VERSION
from shared.database import Database
from shared.events import Engines
from shared.health import health_routes
from shared.languages import fault_of
from shared.messaging.connection import connect as connect_to_broker
from shared.messaging.publish import Publish
from shared.messaging.queues import waiting_messages
from shared.service import Parts, consuming, open_parts, until_it_answers
from shared.settings import SharedSettings
from shared.speech_model import speech_model_name
from shared.storage import ObjectStore
from shared.telemetry.traces import choose_stable_conventions

DESCRIPTION = """Turns lecture recordings and documents into study handouts.

Submit a file, follow its job, fetch what was made of it. Every answer about a job carries its OpenTelemetry trace id,
and a `traceparent` header of yours is continued. Errors are problem details (RFC 9457). The events that travel behind
this API, and that other systems may publish, are described in `/asyncapi.json`.

The version of this document is that of this API; that of Lectern itself is what `lectern --version` says.
"""


def assemble(
    settings: GatewaySettings, shared: SharedSettings, store: ObjectStore, database: Database, publish: Publish
) -> Gateway:
    """Put the gateway's parts together."""
    wakeups = Wakeups()
    read_model = ReadModel(database, wakeups, trace_url=settings.trace_url)
    outlook = Outlook(database)
    ends = Ends(read_model, publish)
    admission = Admission(read_model, outlook, publish, at_once=settings.jobs_in_flight)
    connect = partial(connect_to_broker, shared.amqp_url.get_secret_value())
    dead_letters = open_office(database, store, connect, read_model.replayed, trace_url=settings.trace_url)
    keys = ApiKeys(database)
    engines = Engines(speech=speech_model_name(shared.speech_model))
    return Gateway(
        settings=settings,
        store=store,
        read_model=read_model,
        outlook=outlook,
        admission=admission,
        submissions=Submissions(
            read_model,
            store,
            admission,
            max_bytes=settings.max_upload_bytes,
            engines=engines,
            language_fault=partial(fault_of, folder=shared.speech_model),
        ),
        lifecycle=Lifecycle(read_model, store, publish, admission, ends, dead_letters.letters.purge_job),
        ends=ends,
        dead_letters=dead_letters,
        keys=keys,
        sessions=Sessions(database, keys, session_s=settings.session_hours * 3600, link_s=settings.sign_in_link_s),
        wakeups=wakeups,
    )


async def prepare(gateway: Gateway, shared: SharedSettings, database: Database) -> None:
    """Create indexes and the local user's key."""
    await gateway.read_model.prepare()
    await gateway.sessions.prepare()
    await gateway.dead_letters.letters.prepare()
    given = gateway.settings.bootstrap_key
    await gateway.keys.prepare()
    await bootstrap(database, gateway.keys, shared.home, given.get_secret_value() if given else None)


async def _build(parts: Parts, gateway: Gateway) -> None:
    """What happens once broker, database and storage answer."""
    await until_it_answers(lambda: prepare(gateway, parts.settings, parts.database), "database")
    register(parts.broker, projection_of(gateway))
    parts.on_stop.push_async_callback(gateway.admission.stop)
    parts.run_in_background(_sweeper(parts, gateway).run())
    parts.run_in_background(gateway.dead_letters.run())


def projection_of(gateway: Gateway) -> Projection:
    """What puts messages into the gateway's read model."""
    letters = gateway.dead_letters.letters
    return Projection(
        gateway.read_model, letters.keep, letters.purge_job, gateway.ends.tell_soon, gateway.admission.ended
    )


def _sweeper(parts: Parts, gateway: Gateway) -> Sweeper:
    settings = gateway.settings
    limits = Limits(
        ingest_s=settings.silent_ingest_s,
        transcription_s=settings.silent_transcription_s,
        analysis_s=settings.silent_analysis_s,
        rendering_s=settings.silent_rendering_s,
    )
    times = Times(
        pause_s=settings.sweep_s,
        untold_s=settings.untold_s,
        orphans_every_s=settings.orphans_every_s,
        orphan_age_s=settings.orphan_age_s,
        failed_days=settings.failed_days,
        done_days=settings.done_days,
    )
    watchdog = Watchdog(
        gateway.read_model, gateway.outlook, gateway.admission, partial(waiting_messages, parts.broker), limits
    )
    return Sweeper(
        gateway.read_model,
        gateway.outlook,
        gateway.admission,
        gateway.lifecycle,
        gateway.ends,
        watchdog,
        gateway.store,
        times,
    )


@contextmanager
def _telling_of_the_end(parts: Parts, gateway: Gateway) -> Iterator[None]:
    """End streams as soon as the process is told to stop: the server waits for its connections before it says so."""
    if threading.current_thread() is not threading.main_thread():  # as in tests
        yield
        return
    loop = asyncio.get_running_loop()
    before: dict[int, Any] = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def stop(number: int, frame: Any) -> None:
        parts.health.stopping = True
        loop.call_soon_threadsafe(gateway.wakeups.stop)
        if callable(before[number]):
            before[number](number, frame)

    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        gateway.wakeups.stop()
        for number, handler in before.items():
            signal.signal(number, handler)


def create_app(shared: SharedSettings, settings: GatewaySettings) -> FastAPI:
    """The application. It serves at once; it is ready when everything it depends on is."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_parts("gateway", shared) as parts:
            gateway = assemble(settings, shared, parts.store, parts.database, parts.publish)
            app.state.gateway = gateway
            app.state.health = parts.health
            with _telling_of_the_end(parts, gateway):
                async with consuming(parts, lambda opened: _build(opened, gateway)):
                    yield

    return routes_only(lifespan)


class _Application(FastAPI):
    """Describes itself with the schema of its errors."""

    def openapi(self) -> dict[str, Any]:
        return contracts.openapi_document(self)


def routes_only(lifespan: Any = None) -> FastAPI:
    """The application without its parts: what OpenAPI is generated from, and what tests fill themselves."""
    app = _Application(
        title="Lectern",
        version=API_VERSION,
        description=DESCRIPTION,
        openapi_url=None,  # a route of ours, as any other
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        dependencies=[Depends(KnownQuery())],
        generate_unique_id_function=lambda route: route.name,  # the function's: `submit_job`
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        openapi_tags=[
            {"name": "jobs", "description": "Sources go in, handouts come out."},
            {"name": "dead letters", "description": "Messages that were given up, for administrators."},
            {"name": "keys", "description": "API keys, for administrators."},
            {"name": "sign-in", "description": "Links for the web page."},
        ],
    )
    install_problem_handlers(app)
    # The last one added is the first to see a request.
    app.add_middleware(BodyLimits)
    app.add_middleware(Authentication)
    app.add_middleware(AllowedHosts)
    # Each wraps those before it: what HEAD is told is what GET would be, after packing.
    app.add_middleware(Compression)
    app.add_middleware(HeadAsGet)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(LingeringRefusals)
    app.add_middleware(RequestLog)
    app.include_router(jobs_routes.router)
    app.include_router(dead_letters_routes.router)
    app.include_router(key_routes.router)
    app.include_router(auth_routes.router)
    app.include_router(web_routes.router)
    app.mount("/static", web_routes.static_files())
    app.router.routes.extend(health_routes())
    app.include_router(contracts.router)
    choose_stable_conventions()
    FastAPIInstrumentor.instrument_app(app, excluded_urls="/health/,/static/", exclude_spans=["receive", "send"])
    return app


__all__ = ["assemble", "create_app", "prepare", "projection_of", "routes_only"]
