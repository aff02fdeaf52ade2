"""One replica: the whole application of `service.web`, in a process of a Ray cluster."""

from fastapi import FastAPI

from service.logs import set_up_logs
from service.ray.autoscaling import BACKLOG
from service.settings import Settings
from service.web.app import create_app
from service.web.state import ServiceState
from service.web.tracing import start_tracing


class Replica:
    """Answers requests as `python -m service` does; to be decorated by `serve.ingress`.

    Args:
        settings: Its settings. Host and port are those of Ray's proxies.
    """

    def __init__(self, settings: Settings) -> None:
        set_up_logs(settings.log)
        self._app = create_app(settings, tracing=start_tracing())
        self._state: ServiceState = self._app.state.service
        self._state.catalog.refresh()  # before it takes what another replica could have answered

    def __serve_build_asgi_app__(self) -> FastAPI:
        """Return the application; Ray Serve asks for it once."""
        return self._app

    def record_autoscaling_stats(self) -> dict[str, float]:
        """Return what `TokenBacklog` decides by; Ray Serve asks for it every few seconds."""
        return {BACKLOG: float(self._state.scheduler.backlog_tokens)}
