"""How many replicas there should be, by the tokens that wait at them.

Ray Serve pickles this file by value and runs it in its controller, so it imports nothing of ours.
"""

import math
from typing import Any

BACKLOG = "backlog_tokens"
"""Name of what each replica reports: tokens that wait to be read, as its metrics have them."""
TARGET = 20_000  # tokens at a replica; reading them takes about 0.1 s on one core
IDLE_SHARE = 0.1  # of the target; below it one replica is too many
MOST_GROWTH = 2.0  # times as many at once; a backlog does not say how many are missing


class TokenBacklog:
    """The policy: more replicas while more than `target` tokens wait at each, else slowly fewer.

    Requests wait only while all threads are busy. So a backlog near zero says that nothing is
    wrong, and little of how much is to spare: one replica at a time goes, after Ray's delay.

    Args:
        target: Tokens that may wait at a replica.
    """

    def __init__(self, target: float = TARGET) -> None:
        self._target = target

    def __call__(self, context: Any) -> tuple[int, dict[str, Any]]:
        """Return the wanted number of replicas, and no state.

        Args:
            context: Ray Serve's `AutoscalingContext`.
        """
        running = max(1, context.current_num_replicas)
        waiting = sum((context.aggregated_metrics or {}).get(BACKLOG, {}).values())
        load = waiting / running / self._target
        wanted = context.target_num_replicas
        if load > 1:
            wanted = max(wanted, math.ceil(running * min(load, MOST_GROWTH)))
        elif load < IDLE_SHARE:
            wanted -= 1
        least, most = context.config.min_replicas, context.config.max_replicas
        return min(max(wanted, least), most), {}
