"""`POST /stream` and the WebSocket `/stream`: text that arrives in pieces."""

import asyncio
import logging
from typing import Any

from fastapi import APIRouter, Request, Response, WebSocket, WebSocketDisconnect

from service.answering.answerer import Caller
from service.answering.budget import UNLIMITED
from service.answering.classifier import Classifier
from service.errors import (
    Forbidden,
    Invalid,
    NotFound,
    NotStreamable,
    ReplayRequired,
    ServiceError,
    Unauthorized,
)
from service.logs import note_request
from service.streams.position import Position
from service.streams.reader import Read, Wanted, read_piece
from service.streams.state_token import resume
from service.texts import check_piece
from service.web.access.guard import SUBPROTOCOL, access_of
from service.web.errors import INTERNAL, detail_of, documented
from service.web.faults import log_fault
from service.web.parsing import (
    DEADLINE_DOCUMENTED,
    document_body,
    parse_body,
    read_body,
    read_caller,
)
from service.web.request_id import id_of
from service.web.responses import respond, to_json
from service.web.schemas import (
    ErrorBody,
    ErrorDetail,
    StreamMessage,
    StreamRequest,
    StreamResponse,
)
from service.web.scope import route_of
from service.web.state import ServiceState, get_state
from service.web.tracing import trace_of

router = APIRouter()
_log = logging.getLogger(__name__)

IDLE, POLICY = 1001, 1008  # "going away" and "policy violation", as a WebSocket has it

Question = StreamRequest | StreamMessage
_DOCUMENTED: dict[str, Any] = {
    "parameters": [DEADLINE_DOCUMENTED],
    "requestBody": document_body(StreamRequest),
}


@router.post(
    "/stream",
    response_model=StreamResponse,
    responses=documented(400, 404, 408, 409, 413, 415, 422, 429, 503, 504),
    openapi_extra=_DOCUMENTED,
)
async def read(request: Request) -> Response:
    """Classify a text that arrives in pieces, all of it so far, from the state of the last answer.

    The service keeps nothing: any replica can continue from a state.
    """
    service = get_state(request)
    question = await read_body(request, StreamRequest)
    piece = _check_piece(question, service)
    classifier, position = _find(service, question, request=id_of(request))
    found = await read_piece(
        service.answerer,
        classifier,
        position,
        piece,
        wanted=_wanted(question),
        caller=read_caller(request),
        final=question.final,
    )
    state = None if question.final else service.state_tokens.write(found.position, classifier)
    return respond(_answer(found, state), stages=found.stages)


def _check_piece(question: Question, service: ServiceState) -> str:
    return check_piece(question.text, field="text", longest=service.settings.max_chars)


def _is(classifier: Classifier, message: StreamMessage) -> bool:
    """Whether the message names no other version than this; a label may have moved meanwhile."""
    metadata = classifier.metadata
    same_model = message.model in (None, metadata.name)
    return same_model and (
        message.version in (None, metadata.version) or isinstance(message.version, str)
    )


def _wanted(question: Question) -> Wanted:
    return Wanted(question.top_k, question.explain, question.gates)


def _answer(found: Read, state: str | None) -> StreamResponse:
    return StreamResponse(
        prediction=found.prediction,
        tokens=found.prediction.tokens,
        steps=found.steps,
        state=state,
    )


def _find(
    service: ServiceState, question: Question, *, request: bytes
) -> tuple[Classifier, Position]:
    """Return what reads a stream, and where it has got."""
    if question.state is None:
        classifier = service.catalog.find(question.model, version=question.version, request=request)
        if not classifier.runner.sliced:
            raise NotStreamable(classifier.reference)
        return classifier, Position()
    opened = service.state_tokens.open(question.state)
    number = question.version if isinstance(question.version, int) else None  # labels may move
    asked = (question.model or opened.model, number or opened.version)
    if asked != (opened.model, opened.version):
        raise ReplayRequired(f"the state is one of {opened.model}:{opened.version}")
    try:
        classifier = service.catalog.find(opened.model, version=opened.version)
    except NotFound:
        raise ReplayRequired(f"{opened.model}:{opened.version} is not loaded any more") from None
    return classifier, resume(opened, classifier)


@router.websocket("/stream")
async def listen(socket: WebSocket) -> None:
    """Answer each piece of a text; the state stays here for as long as the connection."""
    service = get_state(socket)
    with service.metrics.streams.track_inprogress():
        await StreamSocket(socket, service).run()


class StreamSocket:
    """One WebSocket, whose messages are answered one after the other.

    A message is read only when the client has taken the answer to the one before. So a client that
    sends too fast, or does not read, slows down only itself.

    Args:
        socket: The connection, not yet accepted.
        service: What computes.
    """

    def __init__(self, socket: WebSocket, service: ServiceState) -> None:
        self._socket = socket
        self._service = service
        self._id = id_of(socket)
        self._access = access_of(socket)
        note_request(self._id)
        self._classifier: Classifier | None = None
        self._position = Position()

    async def run(self) -> None:
        """Answer until the client leaves, its key ends, or it is idle for too long."""
        offered = self._socket.scope.get("subprotocols", ())
        await self._socket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
        try:
            while True:
                async with asyncio.timeout(self._service.settings.stream_idle_seconds):
                    message = await self._receive()
                    if self._access is not None:
                        self._access.renew()
                    await self._socket.send_text(await self._answer(message))
        except (Unauthorized, Forbidden) as error:
            await self._socket.send_text(to_json(ErrorBody(error=detail_of(error))))
            await self._socket.close(POLICY, "the API key does not open this any more")
        except TimeoutError:
            await self._socket.close(IDLE, "idle for too long")
        except WebSocketDisconnect:
            pass

    async def _receive(self) -> str | bytes:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message["code"])
        body: str | bytes = message.get("text") or message.get("bytes") or ""
        return body

    async def _answer(self, message: str | bytes) -> str:
        """Return the answer to a message; one that fails changes nothing."""
        self._service.metrics.stream_messages.inc()
        try:
            settings = self._service.settings
            return to_json(await self._read(parse_body(message, StreamMessage, settings=settings)))
        except ServiceError as error:
            return self._refuse(detail_of(error))
        except Exception as error:
            log_fault(_log, "a piece of the stream %s failed", self._id.decode(), error=error)
            return self._refuse(INTERNAL)

    def _refuse(self, detail: ErrorDetail) -> str:
        self._service.metrics.count_refusal(route_of(self._socket.scope), detail.type)
        return to_json(ErrorBody(error=detail))

    async def _read(self, message: StreamMessage) -> StreamResponse:
        service, classifier, position = self._service, self._classifier, self._position
        piece = _check_piece(message, service)
        if classifier is None or message.restart or message.state is not None:
            classifier, position = _find(service, message, request=self._id)
        elif not _is(classifier, message):
            raise Invalid(f'this is a stream of {classifier.reference}; "restart" begins another')
        found = await read_piece(
            service.answerer,
            classifier,
            position,
            piece,
            wanted=_wanted(message),
            caller=Caller(
                budget=self._access or UNLIMITED,
                route=route_of(self._socket.scope),
                observer=trace_of(self._socket.scope),
            ),
        )
        self._classifier, self._position = classifier, found.position
        if not message.with_state:
            return _answer(found, None)
        return _answer(found, service.state_tokens.write(found.position, classifier))
