"""Workers that compute as a cluster may: at once, in copies of what they get, out of order."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from training.workers import Started, Work


class Eager:
    """Computes each call when it is started, and hands results over in reverse order."""

    def __init__(self) -> None:
        pytest.importorskip("ray")
        from ray import cloudpickle

        self._pickle = cloudpickle
        self.calls = 0

    def share(self, value: Any) -> Any:
        return self._copy(value)

    def start(self, work: Work, shared: Any, *given: Any) -> Started:
        self.calls += 1
        return Done(self._copy(work(self._copy(shared), *self._copy(given))))

    def by_completion(self, started: Sequence[Started]) -> Iterator[Started]:
        return reversed(started)

    def _copy(self, value: Any) -> Any:
        return self._pickle.loads(self._pickle.dumps(value))


class Done:
    def __init__(self, result: Any) -> None:
        self._result = result

    def result(self) -> Any:
        return self._result
