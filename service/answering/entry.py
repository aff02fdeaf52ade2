"""One version as the catalog has it: loaded, or why it could not be."""

import logging
import time
from dataclasses import dataclass

from models.errors import GatewiseError, VersionCorrupt
from models.regular_files import list_inside
from models.versions import Version
from service.answering.classifier import Classifier
from service.engines.cost import measure_cost
from service.engines.loading import EngineKind, open_engine
from service.engines.native.layout import Precision
from service.engines.runner import Runner

RETRY_SECONDS = 30
RETRY_TIMES = 10  # as long as a try took before the next one, so that they take little of a core

Fingerprint = frozenset[tuple[str, int, int, int]]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Entry:
    """A version that was loaded, or why it could not be.

    Args:
        fingerprint: What its files were.
        classifier: The version; None if it could not be loaded.
        reason: Why not.
        tried: When that was known, on the clock `time.monotonic`.
        took: Seconds until then.
    """

    fingerprint: Fingerprint
    classifier: Classifier | None
    reason: str | None = None
    tried: float = 0.0
    took: float = 0.0

    def is_current(self, fingerprint: Fingerprint) -> bool:
        """Whether a version with such files need not be loaded, or not yet again."""
        return self.fingerprint == fingerprint and not self._is_due()

    def _is_due(self) -> bool:
        """Whether to try again, for what failed may have been the disk, not the version."""
        pause = max(RETRY_SECONDS, RETRY_TIMES * self.took)
        return self.classifier is None and time.monotonic() - self.tried > pause


def load_entry(version: Version, *, engine: EngineKind, precision: Precision) -> Entry:
    """Return a version that has passed its checks, or why it cannot be served, which is logged.

    Raises:
        OSError: Its folder cannot be listed: it has been deleted, or the disk has a fault.
    """
    began = time.monotonic()
    fingerprint = find_fingerprint(version)
    try:
        version.verify()
        opened = open_engine(version, kind=engine, precision=precision)
        state = version.metadata.state
        # Here, off the event loop, where the cost is needed from the first request on.
        cost = measure_cost(opened.engine, state)
        classifier = Classifier(version, runner=Runner(opened.engine, state=state, cost=cost))
    except Exception as error:  # one bad version must not keep the others from being served
        unforeseen = None if isinstance(error, GatewiseError | OSError) else error
        _log.error("%s cannot be served: %s", version.path, error, exc_info=unforeseen)
        now = time.monotonic()
        return Entry(fingerprint, None, reason=str(error), tried=now, took=now - began)
    level = logging.WARNING if opened.failed else logging.INFO
    _log.log(level, "%s is ready with %s", version.path, opened)
    return Entry(fingerprint, classifier)


def find_fingerprint(version: Version) -> Fingerprint:
    """Return what changes when a version's files do: name, size and times of each.

    A copy may keep the time of its original, or all files may have one and the same. The time of
    the last change of the entry itself is set by the system alone. Where there is something that no
    version has, such as a link, the fingerprint is empty.
    """
    try:
        found = list_inside(version.path)
    except VersionCorrupt:
        return frozenset()
    return frozenset(
        (name, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns) for name, stat in found.items()
    )
