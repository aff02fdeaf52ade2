"""The client of one request: whether it has sent all of it, and when it leaves."""

import asyncio
import weakref
from collections.abc import Callable

from starlette.types import Receive, Scope
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

SOON = 0.02  # seconds after which ASGI is asked for a client that leaves; most are answered before
_PLACE = "gatewise.client"  # in the scope of a request


class Client:
    """A client, as its connection knows it.

    Args:
        cycle: Of the request. It is not kept, for it keeps this.
    """

    __slots__ = ("_cycle", "_then")

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = weakref.ref(cycle)
        self._then: Callable[[], None] | None = None

    @property
    def has_sent_all(self) -> bool:
        """Whether all of the body has come."""
        cycle = self._cycle()
        return cycle is not None and not cycle.more_body

    def watch(self, then: Callable[[], None]) -> Callable[[], None]:
        """Call a function once the client leaves; return what ends the watch. There is one only."""
        cycle = self._cycle()
        if cycle is None or cycle.disconnected:
            return asyncio.get_running_loop().call_soon(then).cancel
        cycle.flow.resume_reading()  # or nobody would see that it leaves
        self._then = then
        return self._end_watch

    def leave(self) -> None:
        """Note that the client has left."""
        if self._then is not None:
            self._then()

    def _end_watch(self) -> None:
        self._then = None


def note_client(scope: Scope, client: Client) -> None:
    """Note who asks, where all that handle the request find it."""
    scope[_PLACE] = client


def has_arrived(scope: Scope) -> bool:
    """Whether it is known that all of a body has come, so that nothing is to be awaited."""
    client: Client | None = scope.get(_PLACE)
    return client is not None and client.has_sent_all


def watch_client(scope: Scope, receive: Receive, then: Callable[[], None]) -> Callable[[], None]:
    """Call a function once the client of a request leaves; return what ends the watch.

    Args:
        scope: The request, all of whose body has come.
        receive: Gives its messages. Where another server runs the application, they tell it.
        then: What is called, at most once.
    """
    client: Client | None = scope.get(_PLACE)
    return client.watch(then) if client is not None else _watch_messages(receive, then)


def _watch_messages(receive: Receive, then: Callable[[], None]) -> Callable[[], None]:
    loop = asyncio.get_running_loop()
    task: asyncio.Task[None] | None = None

    async def wait() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        then()

    def begin() -> None:
        nonlocal task
        task = loop.create_task(wait())

    def end() -> None:
        timer.cancel()
        if task is not None:
            task.cancel()

    timer = loop.call_later(SOON, begin)
    return end
