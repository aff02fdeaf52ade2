import pytest

from service.scheduling.throughput import HALF_LIFE, Throughput


def test_at_first_work_takes_as_long_as_estimated() -> None:
    assert Throughput(threads=2).value == 2


@pytest.mark.parametrize("threads", [1, 3])
def test_the_pace_is_what_was_measured(threads: int) -> None:
    throughput = Throughput(threads=threads)
    for _ in range(10_000):
        throughput.add(0.008, seconds=0.004)
    assert throughput.value == pytest.approx(2 * threads, rel=1e-3)


def test_what_was_long_ago_counts_less() -> None:
    throughput = Throughput(threads=1)
    for _ in range(10_000):
        throughput.add(0.004, seconds=0.004)
    for _ in range(round(HALF_LIFE / 0.002)):
        throughput.add(0.004, seconds=0.002)
    # Half of the memory is of the time when a second brought 1, half of that when it brought 2.
    assert throughput.value == pytest.approx(1.5, rel=1e-2)
