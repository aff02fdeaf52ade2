"""Compares how both checkouts read streams and continue from each other's states."""

import json
from collections.abc import Sequence
from typing import Any

from benchmarks.sameness.report import Difference, Report, list_differences
from benchmarks.sameness.server import LAST_DIGITS, Servers
from benchmarks.sameness.texts import cut

EXPLAINED, STATES = 15, 40  # texts at most
MESSAGES_SHARE = 4  # one text in so many is sent over a WebSocket too
SHORT = 400  # characters of a text whose every token is explained


def compare_streams(servers: Servers, report: Report, name: str, texts: Sequence[str]) -> None:
    """Compare POST /stream on texts that are cut anywhere, states included."""
    for number, text in enumerate(texts):
        first, second = cut(text, 2, seed=number)
        state = servers.same_answer("/stream", {"text": first})["state"]
        servers.same_answer("/stream", {"text": second, "state": state, "final": True})
    # A piece may end within a character.
    state = servers.same_answer("/stream", {"text": "good \ud83d"})["state"]
    servers.same_answer("/stream", {"text": "\ude00 film", "state": state})
    report.same(f"{name}: POST /stream in 2 pieces, states and answers, {len(texts):,} texts")


def compare_explained_streams(
    servers: Servers, report: Report, name: str, texts: Sequence[str]
) -> None:
    """Compare POST /stream in more pieces, with a contribution for every token."""
    some = [text for text in texts if len(text) <= SHORT][:EXPLAINED]
    for number, text in enumerate(some):
        state = None
        for piece in cut(text, 4, seed=number):
            question = {"text": piece, "state": state, "explain": True, "gates": True, "top_k": 1}
            state = servers.same_answer("/stream", question)["state"]
    report.same(f"{name}: POST /stream in 4 pieces, explain and gates, {len(some):,} texts")


def compare_messages(servers: Servers, report: Report, name: str, texts: Sequence[str]) -> None:
    """Compare the WebSocket /stream."""
    some = texts[::MESSAGES_SHARE]
    with servers.sockets() as sockets:
        for number, text in enumerate(some):
            first, second = cut(text, 2, seed=number)
            explained = len(text) <= SHORT
            messages = [
                {"text": first, "restart": True},
                {"text": second, "with_state": True, "explain": explained, "gates": explained},
            ]
            for message in messages:
                before, after = servers.exchange_messages(sockets, json.dumps(message))
                _require_same_message(message, before, after)
    report.same(f"{name}: WebSocket /stream in 2 pieces, {len(some):,} texts")


def compare_states(
    servers: Servers, report: Report, name: str, texts: Sequence[str], *, tolerant: bool = False
) -> None:
    """Let each service continue from the states of the other.

    Args:
        servers: The services.
        report: Of what is the same.
        name: Name of the comparison.
        texts: Texts; some of them are read.
        tolerant: Whether the last digits of an answer may differ.
    """
    some = texts[:STATES]
    for number, text in enumerate(some):
        first, second = cut(text, 2, seed=number)
        states = [answer["state"] for answer in _read(servers, {"text": first})]
        for state in states:
            found = _read(servers, {"text": second, "state": state, "final": True})
            tolerance = LAST_DIGITS if tolerant else 0.0
            if places := list_differences(*found, tolerance=tolerance):
                raise Difference("\n".join([f"{name}: going on from a state:", *places]))
    report.same(f"{name}: states of each read by the other, {len(some):,} texts")


def _read(servers: Servers, question: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the answers of both to the next piece."""
    answers = servers.ask("POST", "/stream", json.dumps(question).encode())
    for side, answer in zip(("before", "after"), answers, strict=True):
        if answer.status != 200:
            raise Difference(f"{side}: POST /stream: {answer.status}\n{answer.body.decode()}")
    return [json.loads(answer.body) for answer in answers]


def _require_same_message(message: dict[str, object], before: str, after: str) -> None:
    if before != after:
        places = list_differences(json.loads(before), json.loads(after))
        raise Difference("\n".join([f"WebSocket {json.dumps(message)[:300]}:", *places]))
    if "error" in json.loads(before):
        raise Difference(f"WebSocket {json.dumps(message)[:300]}: both answer {before}")
