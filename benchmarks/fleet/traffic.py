"""When texts come, and how long they are."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Lengths = list[tuple[int, int]]
"""Tokens and characters of texts, each as likely as any other."""

DAY = 86_400.0
SWING = 0.6  # how far the rate of an hour is above and below that of the day
BURST = 1.5  # times the rate of the hour
BURST_SECONDS = 60.0
BURSTS_A_DAY = 48


@dataclass(frozen=True, kw_only=True)
class Day:
    """The rate of a day: a wave with its peak in the evening, and bursts.

    Args:
        requests: Requests of the day.
        swing: The wave goes from `1 - swing` to `1 + swing` times the mean rate.
        burst: Times the rate during a burst.
        bursts: Bursts of the day, at random times.
        burst_seconds: How long each lasts.
    """

    requests: float
    swing: float = SWING
    burst: float = BURST
    bursts: int = BURSTS_A_DAY
    burst_seconds: float = BURST_SECONDS

    @property
    def base(self) -> float:
        """Requests per second on average, outside of bursts."""
        in_bursts = self.bursts * self.burst_seconds / DAY
        return self.requests / DAY / (1 + in_bursts * (self.burst - 1))

    @property
    def peak(self) -> float:
        """Requests per second of a burst at the peak of the wave."""
        return self.base * (1 + self.swing) * self.burst

    def rate(self, second: float) -> float:
        """Return the requests per second outside of bursts; the peak is at 20 o'clock."""
        return self.base * (1 + self.swing * math.cos(2 * math.pi * (second / DAY - 20 / 24)))

    def arrivals(self, start: float, end: float, *, seed: int) -> Iterator[float]:
        """Yield the times of requests between two seconds of the day (Lewis and Shedler, 1979)."""
        random = np.random.default_rng(seed)
        bursts = np.sort(random.uniform(0, DAY, self.bursts))
        most, now = self.peak, start
        while True:
            for wait, draw in zip(
                random.exponential(1 / most, 1_000), random.random(1_000), strict=True
            ):
                now += wait
                if now >= end:
                    return
                place = int(np.searchsorted(bursts, now)) - 1
                bursting = place >= 0 and now - bursts[place] < self.burst_seconds
                if draw * most < self.rate(now) * (self.burst if bursting else 1.0):
                    yield float(now)


def poisson(rate: float, *, seconds: float, seed: int) -> Floats:
    """Return the times of requests that come at random with one rate."""
    random = np.random.default_rng(seed)
    count = round(rate * seconds)
    times: Floats = np.cumsum(random.exponential(1 / rate, count))
    return times
