"""A client of a Gatewise service, blocking or for asyncio. It is one file to copy.

    with Client("http://127.0.0.1:8000") as client:
        client.predict("An unforgettable film.")["label"]
        for prediction in client.stream(["An unforget", "table film."]):
            print(prediction["label"])

Needs httpx2, and nothing else of Gatewise.
"""

import asyncio
import copyreg
import ipaddress
import json
import math
import random
import time
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any, Literal, NotRequired, Self, TypedDict, Unpack

import httpx2

URL = "http://127.0.0.1:8000"
BATCH_TEXTS = 1_000  # in one request
BATCH_BYTES = 1_000_000  # the same, of JSON; a longer text goes alone
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0  # seconds between attempts if the service names no time
LONGEST_WAIT = 60.0  # seconds that a service may name
LONGEST_DEADLINE = 3_600.0  # seconds; a service accepts no longer one
SHORTEST = 1e-3  # seconds; none at all would be no attempt
WAY, MOST_WAY = 0.1, 0.5  # share of the time, and seconds, that an answer has for its way here
TOO_LARGE = 413
WORTH_ANOTHER = (408, 429, 502, 503)
FINAL = (httpx2.ReadTimeout, httpx2.UnsupportedProtocol)  # another attempt would go the same way

Explain = bool | Literal["prefix", "occlusion"]


class Prediction(TypedDict):
    """The prediction of a text; `docs/architecture.md` and `/docs` describe each field."""

    label: NotRequired[str]
    score: NotRequired[float]
    labels: NotRequired[list[str]]
    probabilities: dict[str, float]
    model: str
    version: int
    tokens: int
    truncated: bool
    trajectory: NotRequired[list[dict[str, Any]]]
    turns: NotRequired[list[dict[str, Any]]]
    explanation: NotRequired[dict[str, Any]]


class ServiceError(Exception):
    """The error that a service returned in place of a prediction.

    Args:
        status: HTTP status; 0 for one text of several, unless the request held it alone.
        type: Type of the error.
        message: The fault, and the right form.
        field: The faulty part of the request.
        retry_after: Seconds until the service has time.
    """

    def __init__(
        self,
        status: int,
        *,
        type: str = "unknown",
        message: str,
        field: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(f"{message} ({type})")
        self.status = status
        self.type = type
        self.field = field
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how another process makes it again: by its state, without `__init__`."""
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


class Options(TypedDict, total=False):
    """The options of a request.

    Args:
        key: API key, where the service asks for one.
        model: Name of the model; the service's default if absent.
        version: Version of the model, or a label of one; the one that answers if absent.
        timeout: Seconds to wait for the answer to a request, with all attempts; None to wait for
            ever. The service does not compute a later one.
        attempts: Most attempts if the service is busy, starting or out of reach.
    """

    key: str | None
    model: str | None
    version: int | str | None
    timeout: float | None
    attempts: int


class _Common:
    """The common part of both clients."""

    def __init__(self, url: str, options: Options) -> None:
        self._url = url.rstrip("/")
        if unknown := options.keys() - Options.__annotations__.keys():
            there_are = ", ".join(Options.__annotations__)
            raise TypeError(f"unknown options: {', '.join(sorted(unknown))}; there are {there_are}")
        self._asked = {"model": options.get("model"), "version": options.get("version")}
        self._timeout: float | None = options.get("timeout", 30.0)
        self._attempts = options.get("attempts", 5)
        self._headers = {"Content-Type": "application/json"}
        if key := options.get("key"):
            self._headers["Authorization"] = f"Bearer {key}"

    def _body(self, **more: object) -> dict[str, object]:
        return {k: v for k, v in (self._asked | more).items() if v is not None and v is not False}

    def _begin(self, path: str, content: bytes) -> "_Attempts":
        """Return the attempts of a request, whose time begins now."""
        return _Attempts(
            self._url + path,
            content,
            headers=self._headers,
            seconds=self._timeout,
            most=self._attempts,
        )


class _Attempts:
    """The attempts of one request.

    Args:
        url: URL of the request.
        content: Its body.
        headers: Its headers, but for the deadline.
        seconds: Time of all attempts together; None if it has no end.
        most: Most attempts.
    """

    def __init__(
        self,
        url: str,
        content: bytes,
        *,
        headers: Mapping[str, str],
        seconds: float | None,
        most: int,
    ) -> None:
        self._url = url
        self._content = content
        self._headers = headers
        self._end = math.inf if seconds is None else time.monotonic() + seconds
        self._has_deadline = seconds is not None
        self._most = most
        self._made = 0

    def make(self, http: httpx2.Client | httpx2.AsyncClient) -> httpx2.Request:
        """Return the request of the next attempt, with the time that is left."""
        self._made += 1
        left = self._left()
        headers = dict(self._headers)
        if self._has_deadline:
            # Earlier than the client stops to wait, so that it sees what the service says then.
            deadline = min(left - min(WAY * left, MOST_WAY), LONGEST_DEADLINE)
            headers["X-Deadline-Ms"] = str(max(1, round(1e3 * deadline)))
        timeout = None if left == math.inf else left
        return http.build_request(
            "POST", self._url, content=self._content, headers=headers, timeout=timeout
        )

    def pause(self, outcome: httpx2.Response | httpx2.TransportError) -> float:
        """Return the seconds until the next attempt; raise if it would not help."""
        answer = outcome if isinstance(outcome, httpx2.Response) else None
        if answer is not None and answer.status_code not in WORTH_ANOTHER:
            raise _error(answer)
        named = _retry_after(answer) if answer is not None else None
        pause: float = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (self._made - 1))
        pause = max(pause * random.uniform(0.5, 1), named or 0.0)
        # The caller has better to do than to sleep for so long, or to send the same work once more.
        too_late = pause > LONGEST_WAIT or pause >= self._left()
        if self._made >= self._most or too_late or isinstance(outcome, FINAL):
            raise outcome if isinstance(outcome, Exception) else _error(outcome)
        return pause

    def _left(self) -> float:
        return max(self._end - time.monotonic(), SHORTEST)


class _Stream:
    """The pieces of a text so far, and the state after the last one."""

    def __init__(self) -> None:
        self._read: list[str] = []
        self._state: str | None = None

    def ask(self, piece: str) -> dict[str, object]:
        """Return the request body for the next piece."""
        return {"text": piece, "state": self._state}

    def ask_again(self, piece: str, error: ServiceError) -> dict[str, object]:
        """Return the body for the whole text if the service has lost the state; else raise."""
        if error.type != "replay_required":
            raise error
        return {"text": "".join([*self._read, piece])}

    def take(self, piece: str, answer: dict[str, Any]) -> Prediction:
        """Return the prediction, and keep the piece and the state."""
        self._read.append(piece)
        self._state = answer["state"]
        prediction: Prediction = answer["prediction"]
        return prediction


class Client(_Common):
    """A blocking client.

    Args:
        url: URL of the service.
        http: HTTP client to send with; a new one if absent. `timeout` stands in place of its own.
        options: Options of the requests; see `Options`.
    """

    def __init__(
        self, url: str = URL, *, http: httpx2.Client | None = None, **options: Unpack[Options]
    ) -> None:
        super().__init__(url, options)
        self._http = http or httpx2.Client(trust_env=not _is_here(self._url))

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close all connections."""
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def predict(
        self, text: str, *, explain: Explain = False, trajectory: bool = False
    ) -> Prediction:
        """Return the prediction of a text.

        Raises:
            ServiceError: The service returned an error.
            httpx2.TransportError: The service could not be reached.
        """
        body = self._body(text=text, explain=explain, trajectory=trajectory)
        prediction: Prediction = self._post("/predict", _encode(body))
        return prediction

    def predict_batch(self, texts: Iterable[str]) -> list[Prediction | ServiceError]:
        """Return a prediction for each text, or an error in its place; see `predict`.

        A value that is no text, such as a gap of a table, gets an error too.
        """
        return [found for batch in _batches(texts) for found in self._predict_all(batch)]

    def _predict_all(self, texts: Sequence[bytes]) -> list[Prediction | ServiceError]:
        """Return what is said of texts in JSON, in several requests if one would be too large."""
        try:
            return _items(self._post("/predict", _encode_batch(self._body(), texts)))
        except ServiceError as error:
            if (halves := _halve(texts, error)) is None:
                return [error]
        return [found for half in halves for found in self._predict_all(half)]

    def stream(self, pieces: Iterable[str]) -> Iterator[Prediction]:
        """Yield, after each piece of one text, the prediction of all of it so far; see `predict`.

        Pieces may be cut anywhere. If the first version is gone, the whole text is sent again.
        """
        stream = _Stream()
        for piece in pieces:
            try:
                answer = self._post("/stream", _encode(self._body(**stream.ask(piece))))
            except ServiceError as error:
                again = self._body(**stream.ask_again(piece, error))
                answer = self._post("/stream", _encode(again))
            yield stream.take(piece, answer)

    def _post(self, path: str, content: bytes) -> Any:
        attempts = self._begin(path, content)
        while True:
            outcome: httpx2.Response | httpx2.TransportError
            try:
                outcome = self._http.send(attempts.make(self._http))
                if outcome.is_success:
                    return _read(outcome)
            except httpx2.TransportError as error:
                outcome = error
            time.sleep(attempts.pause(outcome))


class AsyncClient(_Common):
    """A client for asyncio.

    Args:
        url: URL of the service.
        http: HTTP client to send with; a new one if absent. `timeout` stands in place of its own.
        options: Options of the requests; see `Options`.
    """

    def __init__(
        self, url: str = URL, *, http: httpx2.AsyncClient | None = None, **options: Unpack[Options]
    ) -> None:
        super().__init__(url, options)
        self._http = http or httpx2.AsyncClient(trust_env=not _is_here(self._url))

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all connections."""
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def predict(
        self, text: str, *, explain: Explain = False, trajectory: bool = False
    ) -> Prediction:
        """See `Client.predict`."""
        body = self._body(text=text, explain=explain, trajectory=trajectory)
        prediction: Prediction = await self._post("/predict", _encode(body))
        return prediction

    async def predict_batch(self, texts: Iterable[str]) -> list[Prediction | ServiceError]:
        """See `Client.predict_batch`."""
        return [found for batch in _batches(texts) for found in await self._predict_all(batch)]

    async def _predict_all(self, texts: Sequence[bytes]) -> list[Prediction | ServiceError]:
        """See `Client._predict_all`."""
        try:
            return _items(await self._post("/predict", _encode_batch(self._body(), texts)))
        except ServiceError as error:
            if (halves := _halve(texts, error)) is None:
                return [error]
        return [found for half in halves for found in await self._predict_all(half)]

    async def stream(self, pieces: Iterable[str] | AsyncIterable[str]) -> AsyncIterator[Prediction]:
        """See `Client.stream`."""
        stream = _Stream()
        async for piece in _each(pieces):
            try:
                answer = await self._post("/stream", _encode(self._body(**stream.ask(piece))))
            except ServiceError as error:
                again = self._body(**stream.ask_again(piece, error))
                answer = await self._post("/stream", _encode(again))
            yield stream.take(piece, answer)

    async def _post(self, path: str, content: bytes) -> Any:
        attempts = self._begin(path, content)
        while True:
            outcome: httpx2.Response | httpx2.TransportError
            try:
                outcome = await self._http.send(attempts.make(self._http))
                if outcome.is_success:
                    return _read(outcome)
            except httpx2.TransportError as error:
                outcome = error
            await asyncio.sleep(attempts.pause(outcome))


def _encode(value: object) -> bytes:
    """Return a value as JSON; it escapes half characters of cut pieces, which UTF-8 lacks."""
    try:
        return json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(value).encode()


def _encode_batch(asked: Mapping[str, object], texts: Sequence[bytes]) -> bytes:
    """Return the body that asks for texts in JSON."""
    fields = [_encode(name) + b": " + _encode(value) for name, value in asked.items()]
    return b"{" + b", ".join([*fields, b'"texts": [' + b", ".join(texts) + b"]"]) + b"}"


def _halve(texts: Sequence[bytes], error: ServiceError) -> list[Sequence[bytes]] | None:
    """Return the halves of texts that are too large together, None for one; else raise."""
    if error.status != TOO_LARGE:
        raise error
    middle = len(texts) // 2
    return [texts[:middle], texts[middle:]] if middle else None


def _read(answer: httpx2.Response) -> Any:
    try:
        return answer.json()
    except ValueError:  # a page to log in at, or a response that a proxy has cut
        raise _foreign(answer) from None


def _error(answer: httpx2.Response) -> ServiceError:
    try:
        error = ServiceError(answer.status_code, **answer.json()["error"])
    except (ValueError, KeyError, TypeError):  # another server answered
        error = _foreign(answer)
    if error.retry_after is None and (named := _retry_after(answer)) is not None:
        error.retry_after = math.ceil(named)
    return error


def _foreign(answer: httpx2.Response) -> ServiceError:
    """Return what somebody else said in the place of the service, such as a proxy."""
    if location := answer.headers.get("location"):
        said = f"it redirects to {_base(answer, location)}; give the client this URL"
    else:
        said = answer.text[:200] or answer.reason_phrase
    return ServiceError(answer.status_code, message=f"not the service answered: {said}")


def _base(answer: httpx2.Response, location: str) -> str:
    """Return the URL of a service to whose route a request is redirected."""
    target, route = answer.url.join(location), answer.url.path.rpartition("/")[2]
    return str(target).removesuffix(f"/{route}")


def _retry_after(answer: httpx2.Response) -> float | None:
    """Return the seconds after which the service has time, given as such or as a date."""
    named = answer.headers.get("retry-after", "")
    if named.isdecimal():
        return float(named)
    try:
        return max(0.0, parsedate_to_datetime(named).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):
        return None


def _is_here(url: str) -> bool:
    """Whether a service is on this machine, to which no proxy of the environment leads."""
    host = httpx2.URL(url).host
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _items(answer: Any) -> list[Prediction | ServiceError]:
    return [
        ServiceError(0, **item["error"]) if "error" in item else item
        for item in answer["predictions"]
    ]


def _batches(texts: Iterable[object]) -> Iterator[Sequence[bytes]]:
    """Yield neighbouring texts in JSON, as many as fit into a request."""
    batch: list[bytes] = []
    size = 0
    for text in texts:
        # The service returns an error in place of null. JSON has no bytes, and no gaps of tables.
        encoded = _encode(text if isinstance(text, str) else None)
        if batch and (len(batch) >= BATCH_TEXTS or size + len(encoded) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(encoded)
        size += len(encoded)
    if batch:
        yield batch


async def _each(pieces: Iterable[str] | AsyncIterable[str]) -> AsyncIterator[str]:
    if isinstance(pieces, AsyncIterable):
        async for piece in pieces:
            yield piece
    else:
        for piece in pieces:
            yield piece
