"""What the requests of one application share."""

from concurrent.futures import Executor
from dataclasses import dataclass

from service.catalog import Catalog
from service.metrics import Metrics
from service.settings import Settings


@dataclass
class ServiceState:
    """Settings, models, worker threads and metrics; `draining` once the service is to end."""

    settings: Settings
    catalog: Catalog
    metrics: Metrics
    workers: Executor
    draining: bool = False
