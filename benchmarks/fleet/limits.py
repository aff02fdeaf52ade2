"""What breaks first: the load on each shared part of a fleet, beside what one of it stands.

The loads are computed from what was measured. What one part stands is an assumption unless it says
otherwise: it depends on machines and versions that are not ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.fleet.sizing import Sized
from benchmarks.serving.results import Record

PROXY_RATE = 20_000.0  # requests a second that one proxy of 8 cores passes on, with TLS
NETWORK = 10e9 / 8  # bytes a second of the network card of a proxy, or of the store
REDIS_RATE = 100_000.0  # commands a second of one server of Redis, which uses one core
SCRAPE = 15.0  # seconds between two looks at the metrics
SERIES = 5e6  # series that one Prometheus keeps
ACCESS_LINE = 400.0  # bytes of a line of a proxy's access log
LOGS = 1e11  # bytes of log a day that are still easily kept
UPDATE = 1_800.0  # seconds that a rolling update may take
DRAIN = 5.0  # seconds; GATEWISE_DRAIN_SECONDS as deploy/proxy/ sets it
PORTS = 28_000.0  # connections from one proxy to one address, by Linux's range of ports
POLLS = 20_000.0  # looks a second at one shared folder


@dataclass(frozen=True)
class Limit:
    """One shared part.

    Args:
        part: Its name.
        load: What a fleet asks of it.
        stands: What one of it stands.
        unit: Of both.
        mend: What it takes where that is not enough.
    """

    part: str
    load: float
    stands: float
    unit: str
    mend: str

    @property
    def share(self) -> float:
        """The load as a share of what one stands."""
        return self.load / self.stands


def list_limits(sized: Sized, facts: Record) -> Sequence[Limit]:
    """Return the shared parts of a fleet, those that are nearest to their limits first."""
    traffic = facts["bytes"][sized.wanted.kind]
    processes = sized.cores
    wanted = sized.wanted
    limits = (
        Limit(
            "a proxy: requests",
            sized.peak,
            PROXY_RATE,
            "/s",
            "several proxies behind one name (DNS, or a load balancer of layer 4)",
        ),
        Limit(
            "a proxy: network, each way",
            sized.peak * (traffic["asked"] + traffic["answered"]),
            NETWORK,
            "bytes/s",
            "several proxies; larger requests of several texts",
        ),
        Limit(
            "a proxy: connections to a machine",
            sized.under_way / sized.machines,
            PORTS,
            "",
            "several addresses a machine",
        ),
        Limit(
            "rates of keys in Redis",
            sized.peak,
            REDIS_RATE,
            "commands/s",
            "a cluster of Redis servers: a key is one bucket, so buckets can be spread",
        ),
        Limit(
            "metrics: series",
            facts["series"] * sized.machines,
            SERIES,
            "",
            "fewer labels, or a Prometheus for each zone",
        ),
        Limit(
            "access logs of the proxies",
            wanted.texts_a_day * ACCESS_LINE,
            LOGS,
            "bytes/day",
            "log one request in a hundred, and all that fail",
        ),
        Limit(
            "store: looks for new versions",
            processes,
            POLLS,
            "/s",
            "longer GATEWISE_POLL_SECONDS, or a store on each machine",
        ),
        Limit(
            "store: a new version to all machines",
            facts["version_bytes"] * sized.machines / NETWORK,
            UPDATE,
            "s",
            "a store on each machine, filled by `models pull` in waves",
        ),
        Limit(
            "a rolling update, one machine at a time",
            sized.machines * (DRAIN + facts["ready_seconds"]),
            UPDATE,
            "s",
            "several machines at a time, and as many to spare",
        ),
    )
    return sorted(limits, key=lambda limit: -limit.share)
