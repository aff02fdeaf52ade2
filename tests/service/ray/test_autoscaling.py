"""A backlog starts replicas, and none stops them one by one."""

from types import SimpleNamespace
from typing import Any

import pytest

from service.ray.autoscaling import BACKLOG, TokenBacklog


def decide(waiting: list[float], *, running: int, target: int | None = None) -> int:
    context: Any = SimpleNamespace(
        current_num_replicas=running,
        target_num_replicas=running if target is None else target,
        aggregated_metrics={BACKLOG: {f"replica-{n}": each for n, each in enumerate(waiting)}},
        config=SimpleNamespace(min_replicas=1, max_replicas=8),
    )
    wanted, state = TokenBacklog(target=1_000)(context)
    assert state == {}
    return wanted


@pytest.mark.parametrize(
    ("waiting", "wanted"),
    [
        ([900, 900], 2),  # as many as may wait
        ([1_500, 1_100], 3),
        ([9_000, 9_000], 4),  # twice as many at once
        ([150, 150], 2),
        ([90, 90], 1),  # one at a time goes
        ([], 1),
    ],
)
def test_by_the_tokens_that_wait(waiting: list[float], wanted: int) -> None:
    assert decide(waiting, running=2) == wanted


def test_within_its_limits() -> None:
    assert decide([9_000] * 6, running=6) == 8
    assert decide([0], running=1) == 1


def test_replicas_that_are_starting_stay_wanted() -> None:
    assert decide([1_100, 1_100], running=2, target=4) == 4


def test_before_the_first_report() -> None:
    context: Any = SimpleNamespace(
        current_num_replicas=0,
        target_num_replicas=2,
        aggregated_metrics=None,
        config=SimpleNamespace(min_replicas=2, max_replicas=4),
    )
    assert TokenBacklog()(context)[0] == 2
