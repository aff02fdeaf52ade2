"""A signal is noted and obeyed between two steps; a second one acts at once."""

import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest

from training.workspace.interrupt import SIGNALS, Interrupt, Interrupted


class Raised(Exception):
    """What the handler from before raises."""


def raise_it(number: int, _frame: FrameType | None) -> None:
    raise Raised(number)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before = [signal.signal(number, raise_it) for number in SIGNALS]
    yield
    for number, handler in zip(SIGNALS, before, strict=True):
        signal.signal(number, handler)


def current() -> list[Any]:
    return [signal.getsignal(number) for number in SIGNALS]


def test_without_a_signal_nothing_happens() -> None:
    with Interrupt() as interrupt:
        assert raise_it not in current()
        interrupt.leave_if_asked()
        assert not interrupt.asked
    assert current() == [raise_it, raise_it]


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_is_noted_and_a_second_acts_at_once(number: signal.Signals) -> None:
    with Interrupt() as interrupt:
        os.kill(os.getpid(), number)
        assert interrupt.asked == number
        assert current() == [raise_it, raise_it]
        with pytest.raises(Raised):
            os.kill(os.getpid(), number)
        with pytest.raises(Interrupted) as caught:
            interrupt.leave_if_asked()
    assert caught.value.number == number


def test_an_error_lets_go_of_the_signals() -> None:
    with pytest.raises(ZeroDivisionError), Interrupt():
        _ = 1 / 0
    assert current() == [raise_it, raise_it]


def test_stopping_is_no_error() -> None:
    with pytest.raises(Interrupted):
        try:
            raise Interrupted(signal.SIGINT)
        except Exception:
            pytest.fail("it was taken for an error")


def test_signals_that_are_ignored_stay_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as shells do for what runs in the background
    with Interrupt() as interrupt:
        os.kill(os.getpid(), signal.SIGINT)
        assert not interrupt.asked
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_outside_the_main_thread_there_is_nothing_to_listen_to() -> None:
    asked: list[int] = []

    def work() -> None:
        with Interrupt() as interrupt:
            asked.append(interrupt.asked)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert asked == [0]
    assert current() == [raise_it, raise_it]
