"""Runs the application until it is told to stop."""

import asyncio
import logging
import signal
from functools import partial
from types import FrameType
from typing import cast

import uvicorn

from service.ending import end_process
from service.settings import Settings
from service.web import websocket
from service.web.access.exposure import check_access
from service.web.app import TEXT_ROUTES, create_app, entrance_of
from service.web.connection import Connection
from service.web.limits import Limits, Room, limit_connections
from service.web.listening import listen
from service.web.orders import Orders
from service.web.shedding import Shedder
from service.web.state import ServiceState
from service.web.tracing import start_tracing
from service.web.websocket import WebSocketConnection


def run_server(settings: Settings) -> None:
    """Serve in this process until SIGINT or SIGTERM.

    Raises:
        CannotListen: The port is taken, or the host is none of this machine.
        Exposed: Other machines could ask without a key.
        BadKeys: The file of API keys cannot be read.
    """
    check_access(settings)
    sockets = listen(settings.host, settings.port)
    # The server gives a signal back once it has shut down. The loop would wait for threads then,
    # and a version may take long to load.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end_process)
    make_server(settings).run(sockets)


def make_server(settings: Settings, *, orders: Orders | None = None) -> "DrainingServer":
    """Return a server, which serves in this process until SIGINT or SIGTERM.

    Args:
        settings: Its settings.
        orders: What a parent tells it, if it is a worker.
    """
    app = create_app(settings, tracing=start_tracing())
    state: ServiceState = app.state.service
    limits = Limits(seconds=settings.client_seconds)
    logging.getLogger(websocket.LOGGER).setLevel(logging.WARNING)
    room = Room(limit_connections(settings.max_connections))
    make_connection = partial(
        Connection,
        limits=limits,
        room=room,
        shedder=_make_shedder(state, settings),
        metrics=state.metrics,
    )
    config = uvicorn.Config(
        entrance_of(app),
        host=settings.host,
        port=settings.port,
        access_log=False,
        server_header=False,
        log_config=None,  # its own asks a standard output that may be closed
        http=cast(type[Connection], make_connection),
        proxy_headers=bool(settings.forwarded_allow_ips),
        forwarded_allow_ips=list(settings.forwarded_allow_ips),
        timeout_keep_alive=settings.keep_alive_seconds,
        ws=cast(
            type[WebSocketConnection],
            partial(WebSocketConnection, limits=limits, room=room, held=state.bodies),
        ),
        ws_per_message_deflate=False,  # a small frame could become large
        ws_max_size=settings.max_body_bytes,
    )
    return DrainingServer(config, state=state, orders=orders)


def _make_shedder(state: ServiceState, settings: Settings) -> Shedder:
    return Shedder(
        state.scheduler,
        metrics=state.metrics,
        routes={
            (prefix + each.path).encode(): each.path
            for prefix in ("", settings.root_path)  # a proxy may have taken it off
            for each in TEXT_ROUTES
        },
        seconds=settings.deadline_ms / 1e3,
    )


class DrainingServer(uvicorn.Server):
    """Is not ready for a while before it stops listening, so that no client is rejected.

    Args:
        config: What uvicorn is to do.
        state: What its requests share.
        orders: What a parent tells it, if it is a worker.
    """

    def __init__(
        self, config: uvicorn.Config, *, state: ServiceState, orders: Orders | None = None
    ) -> None:
        super().__init__(config)
        self.state = state
        self._orders = orders

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """On the first signal drain, then end; on a second one end now."""
        if self._is_urgent() or not self.started:
            super().handle_exit(sig, frame)
        elif not self.state.draining:
            self._drain(sig)

    def _is_urgent(self) -> bool:
        """Whether this is a second signal.

        A worker counts those of its parent. It may get a signal beside it, from who tells all
        processes of the service to end.
        """
        return self.state.draining if self._orders is None else self._orders.count > 1

    def _drain(self, sig: int) -> None:
        self.state.draining = True
        # So that clients and proxies do not send a request just as its connection closes.
        self.config.encoded_headers.append((b"connection", b"close"))
        end = super().handle_exit
        loop = asyncio.get_running_loop()
        loop.call_soon_threadsafe(
            loop.call_later, self.state.settings.drain_seconds, end, sig, None
        )
