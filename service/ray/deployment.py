"""Puts the service on a Ray cluster, or replaces what is there without a failed request."""

import secrets
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from models.ray_cluster import raise_cause
from models.registry import Store
from service.ray.autoscaling import TARGET, TokenBacklog
from service.ray.replica import Replica
from service.settings import Settings
from service.web.access.exposure import check_access

NAME = "gatewise"
_SECRET = "gatewise-stream-secret"
FAST_SECONDS = 5.0  # over which the backlog is averaged, and after which more replicas start
SLOW_SECONDS = 300.0  # without a backlog, after which a replica goes
DRAIN_SECONDS = 60.0  # that a replica may take for what it is at, when another one replaces it


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How many replicas there may be.

    Args:
        least: Fewest replicas.
        most: Most replicas.
        backlog_tokens: Tokens that may wait at each before there are more.
    """

    least: int = 2
    most: int = 2
    backlog_tokens: float = TARGET


def deploy(settings: Settings, *, scale: Scale, ray: Any) -> None:
    """Serve on a cluster. Replicas that are there are replaced one after the other.

    Args:
        settings: The settings of each replica; the store has to be seen by all nodes.
        scale: How many replicas there may be.
        ray: The module, connected.

    Raises:
        GatewiseError: The store or the keys cannot be read, or the cluster does not start it.
        Exposed: Other machines could ask without a key.
    """
    from ray import serve

    check_access(settings)
    Store(settings.store).check()
    threads = settings.threads or 1
    serve.start(
        http_options={
            "host": settings.host,
            "port": settings.port,
            "keep_alive_timeout_s": settings.keep_alive_seconds,
        }
    )
    deployment = serve.deployment(
        name=NAME,
        max_ongoing_requests=settings.max_connections,
        graceful_shutdown_timeout_s=DRAIN_SECONDS,
        ray_actor_options={"num_cpus": threads},
        autoscaling_config=_autoscaling(scale),
    )(serve.ingress()(Replica))
    try:
        given = settings.model_copy(
            update={
                "store": settings.store.absolute(),
                "keys": settings.keys and settings.keys.absolute(),
                "threads": threads,
                "stream_secret": settings.stream_secret or SecretStr(_find_secret(ray)),
            }
        )
        serve.run(deployment.bind(given), name=NAME, route_prefix="/")
    except (RuntimeError, ray.exceptions.RayError) as error:
        raise_cause(error, doing="the cluster cannot serve it")


def _autoscaling(scale: Scale) -> Any:
    from ray.serve.config import AutoscalingConfig, AutoscalingPolicy

    return AutoscalingConfig(
        min_replicas=scale.least,
        max_replicas=scale.most,
        metrics_interval_s=FAST_SECONDS / 5,
        look_back_period_s=FAST_SECONDS,
        upscale_delay_s=FAST_SECONDS,
        downscale_delay_s=SLOW_SECONDS,
        policy=AutoscalingPolicy(
            policy_function=TokenBacklog, policy_kwargs={"target": scale.backlog_tokens}
        ),
    )


class _Secret:
    """Holds the secret of streams while the cluster is up, so that a new replica knows it."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def get(self) -> str:
        return self._secret


def _find_secret(ray: Any) -> str:
    """Return the secret with which the replicas of this cluster sign states of streams."""
    holder = (
        ray.remote(_Secret)
        .options(
            name=_SECRET,
            namespace=NAME,
            lifetime="detached",
            get_if_exists=True,
            max_restarts=-1,
            num_cpus=0,
        )
        .remote(secrets.token_urlsafe(32))
    )
    return str(ray.get(holder.get.remote()))
