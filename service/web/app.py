"""Puts the application together."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.types import ASGIApp, Receive, Scope, Send

from models import __version__
from models.errors import GatewiseError
from models.registry import Store
from service.answering.answerer import Answerer
from service.answering.catalog import Catalog
from service.answering.inventory import show_inventory
from service.answering.tokenizing import TokenizerThread
from service.metrics import Metrics
from service.rollout.copies import Copies
from service.rollout.rollouts import Rollouts
from service.rollout.samples import sample_rollouts
from service.scheduling.scheduler import Scheduler
from service.settings import Settings
from service.streams.state_token import StateTokens
from service.web.access.document import document_keys
from service.web.access.guard import Guard
from service.web.access.key_ring import KeyRing
from service.web.access.keys import Rate
from service.web.access.rates import Buckets, open_local_buckets
from service.web.body_bytes import BodyBytes
from service.web.direct_routes import DirectRoutes, find_route
from service.web.errors import EVERYWHERE, answer_internal, install_error_handlers
from service.web.middleware import RequestMiddleware
from service.web.origins import allow_origins
from service.web.prefix import OwnRedirects, PathPrefix
from service.web.request_body import PATIENCE
from service.web.routes import admin, models, operations, page, predict, stream
from service.web.state import ServiceState, note_state
from service.web.tracing import Tracing, TracingMiddleware
from service.web.whole_paths import WholePaths

OBJECTS = 10_000  # more than before, after which to look for cycles; requests leave none behind
BODIES = 2  # of the largest size that may be on their way at the same time
TEXT_ROUTES = (
    find_route(predict.router, predict.predict),
    find_route(stream.router, stream.read),
)
"""Routes to which texts are posted: nearly all that a service has to do."""

_log = logging.getLogger(__name__)


class Entrance:
    """Notes what requests come to, in the place of FastAPI, whose own entrance may be passed by.

    That has telemetry, which can be switched on from outside and then records what was wrong with
    which texts. It asks the environment for it at each request.

    Args:
        app: What is inside.
        api: The application that it belongs to.
        state: What its requests share.
    """

    def __init__(self, app: ASGIApp, *, api: FastAPI, state: ServiceState) -> None:
        self._app = app
        self._api = api
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, WebSocket or life of the service, as ASGI asks."""
        scope["app"] = self._api
        note_state(scope, self._state)
        await self._app(scope, receive, send)


def create_app(settings: Settings, *, tracing: Tracing | None = None) -> FastAPI:
    """Return the application. No version is loaded before it starts.

    Args:
        settings: Its settings.
        tracing: Traces requests; None to take no traces.

    Raises:
        BadKeys: The file of API keys cannot be read.
    """
    store = Store(settings.store)
    catalog = Catalog(
        store,
        default=settings.model,
        engine=settings.engine,
        precision=settings.precision,
        keep=settings.versions,
    )
    metrics, tokenizer = Metrics(), TokenizerThread()
    metrics.begin(threads=settings.computing_threads)
    scheduler = Scheduler(threads=settings.computing_threads, metrics=metrics)
    seconds = settings.deadline_ms / 1e3
    answerer = Answerer(tokenizer, scheduler, metrics, admission=scheduler, seconds=seconds)
    rollouts = Rollouts(
        catalog,
        answerer,
        Copies(tokenizer, scheduler, slower=settings.rollout_slower),
        store=store,
        mode=settings.rollout,
        flips=settings.rollout_flips,
        slower=settings.rollout_slower,
    )
    metrics.watch_rollouts(lambda: sample_rollouts(catalog, rollouts))
    state = ServiceState(
        settings=settings,
        store=store,
        catalog=catalog,
        metrics=metrics,
        tokenizer=tokenizer,
        scheduler=scheduler,
        answerer=answerer,
        rollouts=rollouts,
        state_tokens=StateTokens(settings.stream_secrets),
        key_ring=KeyRing(settings.keys) if settings.keys else None,
        buckets=_open_buckets(settings),
        tracing=tracing,
        bodies=BodyBytes(BODIES * settings.max_body_bytes),
    )
    app = FastAPIOffline(
        title="Gatewise",
        description="Text classification with gated recurrent networks.",
        version=__version__,
        lifespan=_lifespan,
        redoc_url=None,
        responses=EVERYWHERE,
    )
    app.state.service = state
    for routes in (predict, stream, models, admin, operations, page):
        app.include_router(routes.router)
    app.mount("/page", page.make_files())
    document_keys(app)
    install_error_handlers(app)
    app.middleware_stack = Entrance(_surround(app, state), api=app, state=state)
    return app


def entrance_of(app: FastAPI) -> ASGIApp:
    """Return what a server calls for the application."""
    assert app.middleware_stack is not None  # from `create_app` on
    return app.middleware_stack


def _surround(app: FastAPI, state: ServiceState) -> ASGIApp:
    """Return what handles a request: our middleware around all of FastAPI's own.

    `add_middleware` would put it behind FastAPI's, which direct routes pass by.
    """
    settings = state.settings
    within = WholePaths(OwnRedirects(app.build_middleware_stack()))
    direct = DirectRoutes(within, routes=TEXT_ROUTES, prefix=settings.root_path)
    answering = allow_origins(_guard(direct, state), origins=settings.cors_origins)
    if state.tracing is not None:
        answering = TracingMiddleware(answering, tracing=state.tracing)
    surrounded = RequestMiddleware(
        answering,
        failed=allow_origins(answer_internal, origins=settings.cors_origins),
        metrics=state.metrics,
        max_body_bytes=settings.max_body_bytes,
        patience=replace(PATIENCE, body_seconds=settings.client_seconds),
        bodies=state.bodies,
    )
    return PathPrefix(surrounded, prefix=settings.root_path) if settings.root_path else surrounded


def _guard(app: ASGIApp, state: ServiceState) -> ASGIApp:
    """Return what asks for keys before the application; itself where there are none."""
    if state.key_ring is None:
        return app
    settings = state.settings
    per_second = settings.tokens_per_second
    rate = Rate.of(per_second, burst=settings.burst_tokens) if per_second else None
    return Guard(
        app,
        ring=state.key_ring,
        buckets=state.buckets,
        rate=rate,
        metrics=state.metrics,
        prefix=settings.root_path,
    )


def _open_buckets(settings: Settings) -> Buckets:
    """Return what may be read with each key, here or at all replicas."""
    local = open_local_buckets()
    if settings.rates_url is None:
        return local
    from service.web.access.redis_rates import RedisBuckets  # where it is asked for

    return RedisBuckets(settings.rates_url.get_secret_value(), fallback=local)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    state: ServiceState = app.state.service
    state.scheduler.start()
    looked = asyncio.Event()
    watchers = [
        asyncio.create_task(_follow(state, looked=looked)),
        asyncio.create_task(_load(state, looked=looked)),
    ]
    if state.key_ring is not None:
        watchers.append(asyncio.create_task(_watch_keys(state.key_ring, state.settings)))
    try:
        yield
    finally:
        for watcher in watchers:
            watcher.cancel()
        await state.buckets.close()
        state.shutdown()


async def _follow(state: ServiceState, *, looked: asyncio.Event) -> None:
    """Look at the store again and again, off the event loop, even while a version is loaded."""
    fault: str | None = None
    while True:
        fault = await _attempt(state, state.catalog.look, known=fault)
        if fault is None:
            state.metrics.refreshed.set_to_current_time()
            looked.set()
        await asyncio.sleep(state.settings.poll_seconds)


async def _load(state: ServiceState, *, looked: asyncio.Event) -> None:
    """Load what the looks find, off the event loop."""
    fault = await _load_once(state, looked=looked, known=None)
    gc.freeze()  # what is there now stays: a collection that looks through it stops all for 50 ms
    gc.set_threshold(OBJECTS)
    while True:
        fault = await _load_once(state, looked=looked, known=fault)


async def _load_once(
    state: ServiceState, *, looked: asyncio.Event, known: str | None
) -> str | None:
    """Load what has been found, after the next look; return what `_attempt` does."""
    await looked.wait()
    looked.clear()
    return await _attempt(state, state.catalog.load, known=known)


async def _watch_keys(ring: KeyRing, settings: Settings) -> None:
    """Keep the keys in step with their file, even while a version takes long to load."""
    while True:
        await asyncio.sleep(settings.poll_seconds)
        await asyncio.to_thread(ring.refresh)


async def _attempt(
    state: ServiceState, work: Callable[[], None], *, known: str | None
) -> str | None:
    """Have the catalog do something; return what went wrong, logged once and not every time."""
    metrics = state.metrics
    try:
        await asyncio.to_thread(work)
        state.rollouts.follow()
    except Exception as error:  # whatever it was, a later look may succeed
        metrics.refresh_failures.inc()
        if (fault := str(error)) != known:
            unforeseen = None if isinstance(error, GatewiseError | OSError) else error
            _log.error("cannot look for versions: %s", fault, exc_info=unforeseen)
        return fault
    finally:
        show_inventory(state.catalog.loaded, metrics)
        metrics.ready.set(state.catalog.ready)
    return None
