"""Texts in pieces, over HTTP and on WebSockets, with an engine that can be checked by hand."""

import base64
import json
import math
import random
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from starlette.websockets import WebSocketDisconnect

from service.settings import Settings
from service.streams.position import join_pieces
from service.streams.state_token import StateTokens, _mac
from service.texts import MOST_TOKENS
from service.web.app import create_app
from tests.versions import CountingEngine, publish


def send(client: TestClient, text: str, state: str | None = None, **more: Any) -> Any:
    return client.post("/stream", json={"text": text, "state": state, **more})


def post(client: TestClient, text: str, state: str | None = None, **more: Any) -> Any:
    """Send what the client itself cannot encode: halves of characters, escaped."""
    body = json.dumps({"text": text, "state": state, **more})
    return client.post("/stream", content=body, headers={"content-type": "application/json"})


def signed(body: bytes) -> str:
    """Return a state made up with the mac that a service without a secret gives."""
    tokens = StateTokens()
    token = tokens._id + _mac(tokens._key, body) + body
    return base64.urlsafe_b64encode(token).rstrip(b"=").decode()


@contextmanager
def serving(store: Path, **settings: str) -> Iterator[TestClient]:
    app = create_app(Settings(store=store, threads=1, **settings))
    app.state.service.catalog.refresh()
    with TestClient(app) as client:
        yield client


def read(client: TestClient, *pieces: str, **more: Any) -> Any:
    """Return the last answer to pieces in a row."""
    state = None
    for piece in pieces:
        answer = send(client, piece, state, **more)
        assert answer.status_code == 200, answer.text
        state = answer.json()["state"]
    return answer.json()


def whole(client: TestClient, text: str) -> Any:
    return client.post("/predict", json={"text": text}).json()


class TestPieces:
    def test_every_answer_is_that_of_the_text_so_far(self, client: TestClient) -> None:
        pieces = ["a go", "od fil", "m", "", " is not ", "ba", "d", "!"]
        for end in range(1, len(pieces) + 1):
            answer = read(client, *pieces[:end])
            assert answer["prediction"] == whole(client, "".join(pieces[:end]))
            assert answer["tokens"] == answer["prediction"]["tokens"]

    @pytest.mark.medium
    @pytest.mark.parametrize("length", [1, 2, 3, 7])
    def test_cuts_may_be_anywhere(self, client: TestClient, length: int) -> None:
        text = "A good, good film👩‍🚀 don't  goods 👍🏽 bad\n\nbad"
        pieces = [text[start : start + length] for start in range(0, len(text), length)]
        assert read(client, *pieces)["prediction"] == whole(client, text)

    @pytest.mark.parametrize("length", [1, 2, 3, 7])
    def test_cuts_may_be_beside_invisible_characters(self, client: TestClient, length: int) -> None:
        text = "\ufeffA go\u00adod, fil\u200bm\u200bs don\u02bc\u00adt \u2060👩‍🚀 b\u200da\u200dd"
        pieces = [text[start : start + length] for start in range(0, len(text), length)]
        assert read(client, *pieces)["prediction"] == whole(client, text)
        plain = whole(client, "A good, films don't 👩‍🚀 bad")
        assert whole(client, text) == plain

    def test_characters_may_be_cut_in_halves(self, client: TestClient) -> None:
        state = post(client, "good \ud83d").json()["state"]
        second = post(client, "\udc4d bad", state)
        assert second.json()["prediction"] == whole(client, "good 👍 bad")

    def test_a_half_without_the_other_is_refused(self, client: TestClient) -> None:
        for piece in ("\udc4d", "\ud83d a"):
            answer = post(client, piece)
            assert answer.status_code == 422
            assert answer.json()["error"]["field"] == "text"

    def test_a_half_of_the_piece_before_is_named(self, client: TestClient) -> None:
        state = post(client, "good \ud83d").json()["state"]
        message = send(client, "bad", state).json()["error"]["message"]
        assert message.startswith("the last character of the piece before is half")

    def test_too_long_a_piece_is_not_explained(
        self, client: TestClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(MOST_TOKENS, "prefix", 3)
        assert send(client, "a a a", explain=True).status_code == 200
        assert send(client, "a a a a").status_code == 200
        answer = send(client, "a a a a", explain=True)
        assert (answer.status_code, answer.json()["error"]["field"]) == (413, "explain")

    def test_the_last_piece_cannot_end_in_a_half(self, client: TestClient) -> None:
        answer = post(client, "good \ud83d", final=True)
        assert answer.status_code == 422
        assert "character 5 is half of a surrogate pair" in answer.json()["error"]["message"]

    def test_the_last_piece_gets_no_state(self, client: TestClient) -> None:
        answer = send(client, "good", final=True).json()
        assert answer["prediction"] == whole(client, "good")
        assert "state" not in answer

    def test_the_empty_text_is_a_text(self, client: TestClient) -> None:
        assert read(client, "", "", "")["prediction"] == whole(client, "")

    def test_an_answer_can_be_asked_for_twice(self, client: TestClient) -> None:
        state = read(client, "good ")["state"]
        assert send(client, "bad", state).json() == send(client, "bad", state).json()

    def test_only_what_is_new_is_computed(
        self, client: TestClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        state = read(client, "good " * 50)["state"]
        widths: list[int] = []
        step = CountingEngine.step

        def spy(self: CountingEngine, rows: Any, state: Any) -> Any:
            widths.append(max(map(len, rows)))
            return step(self, rows, state)

        monkeypatch.setattr(CountingEngine, "step", spy)
        assert send(client, "bad film", state).json()["tokens"] == 52
        assert widths == [1, 1]  # the word that is whole, and the one that may go on

    def test_few_probabilities_can_be_asked_for(self, client: TestClient) -> None:
        answer = send(client, "good", top_k=1).json()
        assert list(answer["prediction"]["probabilities"]) == ["pos"]


class TestSteps:
    @pytest.mark.parametrize("pieces", [["A good film. ", "Ba", "d, not goo", "d👍🏽!"], ["", " "]])
    def test_the_verdict_after_each_token(self, client: TestClient, pieces: list[str]) -> None:
        text, steps = "", []
        state = None
        for piece in pieces:
            answer = send(client, piece, state, explain=True).json()
            text, state = text + piece, answer["state"]
            steps = [step for step in steps if not step["held"]] + answer["steps"]
        spans = [(token["start"], token["end"]) for token in explain(client, text)["tokens"]]
        assert [(step["start"], step["end"]) for step in steps] == spans
        for step in steps:
            so_far = explain(client, text[: step["end"]])
            assert step["log_odds"][so_far["label"]] == pytest.approx(so_far["log_odds"], abs=1e-9)

    def test_on_a_web_socket(self, client: TestClient) -> None:
        with client.websocket_connect("/stream") as socket:
            socket.send_json({"text": "good ba", "explain": True})
            steps = socket.receive_json()["steps"]
        assert [(step["start"], step["end"], step["held"]) for step in steps] == [
            (0, 4, False),
            (5, 7, True),
        ]


def explain(client: TestClient, text: str) -> Any:
    return client.post("/predict", json={"text": text, "explain": True}).json()["explanation"]


class TestStates:
    def test_another_process_goes_on(self, client: TestClient, store: Path) -> None:
        state = read(client, "good ", "fil")["state"]
        settings = Settings(store=store, poll_seconds=0.01, threads=1)
        app = create_app(settings)
        app.state.service.catalog.refresh()
        with TestClient(app) as other:
            answer = send(other, "m bad", state).json()
        assert answer["prediction"] == whole(client, "good film bad")

    def test_a_state_belongs_to_its_version(self, client: TestClient, store: Path) -> None:
        state = read(client, "good ")["state"]
        publish(store, version=2)
        client.app.state.service.catalog.refresh()
        assert send(client, "a", state).json()["prediction"]["version"] == 1
        assert send(client, "a").json()["prediction"]["version"] == 2
        for more in ({"version": 2}, {"model": "other"}):
            answer = send(client, "a", state, **more)
            assert answer.status_code == 409
            assert answer.json()["error"]["type"] == "replay_required"
            assert "toy:1" in answer.json()["error"]["message"]

    def test_a_version_that_is_gone_asks_for_the_text_again(
        self, client: TestClient, store: Path
    ) -> None:
        state = read(client, "good ")["state"]
        for version in (2, 3):
            publish(store, version=version)
        ends = time.monotonic() + 10
        while (answer := send(client, "a", state)).status_code == 200:
            assert time.monotonic() < ends
        assert (answer.status_code, answer.json()["error"]["type"]) == (409, "replay_required")

    def test_other_weights_under_the_same_name_do_not_go_on(
        self, client: TestClient, tmp_path: Path
    ) -> None:
        state = read(client, "good ")["state"]
        publish(tmp_path / "other", settings={"seed": 2})
        app = create_app(Settings(store=tmp_path / "other", threads=1))
        app.state.service.catalog.refresh()
        with TestClient(app) as other:
            answer = send(other, "a", state)
        assert (answer.status_code, answer.json()["error"]["type"]) == (409, "replay_required")

    def test_a_state_of_another_secret_is_refused(self, client: TestClient, store: Path) -> None:
        with serving(store, stream_secret="ours") as other:
            state = read(other, "good ")["state"]
            assert send(other, "bad", state).status_code == 200
        answer = send(client, "bad", state)
        assert (answer.status_code, answer.json()["error"]["type"]) == (409, "replay_required")

    def test_secrets_are_replaced_one_after_the_other(self, store: Path) -> None:
        states = []
        # The new one is known to all replicas before one signs with it, and the old one after.
        for secrets in ("old", "old,new", "new,old", "new"):
            with serving(store, stream_secret=secrets) as replica:
                states.append(read(replica, "good ")["state"])
                answers = [send(replica, "bad", state).status_code for state in states]
            assert answers == ([200] * len(states) if secrets != "new" else [409, 409, 200, 200])

    @pytest.mark.medium
    def test_no_change_goes_unnoticed(self, client: TestClient) -> None:
        state = read(client, "good ", "film ", "ba")["state"]
        chance = random.Random(0)
        for _ in range(300):
            changed = _change(state, chance)
            answer = send(client, "a", changed)
            # A changed id of its key could be that of a secret that is gone.
            assert answer.json()["error"]["type"] in ("bad_state", "replay_required"), changed
            assert answer.json()["error"]["field"] == "state"

    @pytest.mark.parametrize(
        ("header", "tensors"),
        [
            (b"abc", b""),
            (b"[" * 1_200, b""),
            (b'{"model": "toy"}', b""),
            (b'["toy", 1, "x", "", 0]', b""),
            (b'["toy", "1", "x", "", 0, 0]', b""),
            (b'["toy", 1, 2, "", 0, 0]', b""),
            (None, b"\0"),
            (None, b"\0" * 4),
            (None, b"\0" * 12),
        ],
    )
    def test_a_state_made_up_with_the_right_mac_is_refused(
        self, client: TestClient, header: bytes | None, tensors: bytes
    ) -> None:
        classifier = client.app.state.service.catalog.find("toy", version=1)
        good = json.dumps(["toy", 1, classifier.digest, "", 0, 0]).encode()
        header = good if header is None else header
        body = struct.pack("<BI", 1, len(header)) + header + tensors
        answer = send(client, "a", signed(body))
        assert (answer.status_code, answer.json()["error"]["type"]) == (400, "bad_state")

    @pytest.mark.parametrize(
        "place",
        [["", 0, 2**53], ["", -1, 0], ["a" * 5_000, 0, 0], ["", int("9" * 4_300), 0]],
        ids=["much", "less than nothing", "a long rest", "no number for Python"],
    )
    def test_a_state_that_no_stream_comes_to_is_refused(
        self, store: Path, place: list[str | int]
    ) -> None:
        with serving(store) as client:
            classifier = client.app.state.service.catalog.find("toy", version=1)
            header = json.dumps(["toy", 1, classifier.digest, *place]).encode()
            answer = send(client, "a ", signed(struct.pack("<BI", 1, len(header)) + header))
        assert (answer.status_code, answer.json()["error"]["type"]) == (400, "bad_state")

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e30])
    def test_a_state_that_no_network_comes_to_is_refused(
        self, client: TestClient, value: float
    ) -> None:
        classifier = client.app.state.service.catalog.find("toy", version=1)
        header = json.dumps(["toy", 1, classifier.digest, "", 1, 1]).encode()
        start = struct.pack("<BI", 1, len(header)) + header
        size = sum(math.prod(tensor.shape) for tensor in classifier.metadata.state)
        possible, other = ([0.0] * (size - 1) + [last] for last in (1e3, value))
        statuses = [
            send(client, "a", signed(start + struct.pack(f"<{size}f", *state))).status_code
            for state in (possible, other)
        ]
        assert statuses == [200, 400]

    @pytest.mark.parametrize("body", [b"", b"\1", b"\1\xff\xff\xff\xff"])
    def test_half_a_state_with_the_right_mac_is_refused(
        self, client: TestClient, body: bytes
    ) -> None:
        assert send(client, "a", signed(body)).status_code == 400

    def test_the_mac_of_nothing_is_no_state(self, client: TestClient) -> None:
        assert send(client, "a", signed(b"")).status_code == 400

    def test_a_version_that_reads_whole_texts_says_so(
        self, client: TestClient, store: Path
    ) -> None:
        publish(store, name="whole", streamable=False, state=())
        client.app.state.service.catalog.refresh()
        answer = send(client, "a", model="whole")
        assert (answer.status_code, answer.json()["error"]["type"]) == (409, "not_streamable")


def _change(state: str, chance: random.Random) -> str:
    place = chance.randrange(len(state))
    other = chance.choice("ABCabc019-_+/=é \x00".replace(state[place], ""))
    return chance.choice(
        [
            state[:place] + other + state[place + 1 :],
            state[:place] + state[place + 1 :],
            state[:place] + other + state[place:],
            state[: place + 1] * 2,
            state[:place],
            state + "=",
        ]
    )


@given(st.text(max_size=20), st.integers(0, 40))
def test_halves_that_belong_together_are_joined(text: str, place: int) -> None:
    units = text.encode("utf-16-le")
    cut = 2 * min(place, len(units) // 2)
    first, second = (u.decode("utf-16-le", "surrogatepass") for u in (units[:cut], units[cut:]))
    whole, half = join_pieces("", first)
    joined, rest = join_pieces(half, second)
    assert (whole + joined, rest) == (text, "")


class TestWebSocket:
    def test_the_server_keeps_the_state(self, client: TestClient) -> None:
        with client.websocket_connect("/stream") as socket:
            text = ""
            for piece in ("a go", "od", " film", " not ba", "d"):
                text += piece
                socket.send_json({"text": piece})
                answer = socket.receive_json()
                assert answer["prediction"] == whole(client, text)
                assert "state" not in answer

    def test_a_new_text_can_begin(self, client: TestClient, store: Path) -> None:
        publish(store, name="other")
        client.app.state.service.catalog.refresh()
        with client.websocket_connect("/stream") as socket:
            socket.send_json({"text": "bad bad", "model": "toy"})
            socket.receive_json()
            socket.send_json({"text": "good", "restart": True, "model": "other"})
            answer = socket.receive_json()
        assert (answer["prediction"]["label"], answer["tokens"]) == ("pos", 1)
        assert answer["prediction"]["model"] == "other"

    def test_a_stream_moves_to_another_connection(self, client: TestClient) -> None:
        with client.websocket_connect("/stream") as socket:
            socket.send_json({"text": "good fi", "with_state": True})
            state = socket.receive_json()["state"]
        with client.websocket_connect("/stream") as socket:
            socket.send_json({"text": "lm bad", "state": state})
            assert socket.receive_json()["prediction"] == whole(client, "good film bad")
        assert send(client, "lm bad", state).json()["prediction"] == whole(client, "good film bad")

    @pytest.mark.parametrize(
        ("message", "kind"),
        [
            ("no JSON", "malformed"),
            ('{"text": "a", "version": %s}' % ("9" * 5_000), "malformed"),
            ('{"text": "a", "top_k": NaN}', "invalid"),
            ("[]", "invalid"),
            ('{"text": 1}', "invalid"),
            ('{"text": "a", "text": "b"}', "invalid"),
            ('{"text": "\\ud83d a"}', "invalid"),
            ('{"texts": "a"}', "invalid"),
            ('{"text": "a", "model": "other"}', "invalid"),
            ('{"text": "a", "version": 2}', "invalid"),
            ('{"text": "a", "state": "x"}', "bad_state"),
            ('{"text": "a", "restart": true, "model": "none"}', "not_found"),
            ('{"text": "a", "restart": true, "state": "any"}', "invalid"),
            ('{"text": "%s"}' % ("a" * 501), "too_large"),
        ],
    )
    def test_a_bad_message_changes_nothing(
        self, client: TestClient, message: str, kind: str
    ) -> None:
        with client.websocket_connect("/stream") as socket:
            socket.send_json({"text": "good fi"})
            socket.receive_json()
            socket.send_text(message)
            assert socket.receive_json()["error"]["type"] == kind
            socket.send_json({"text": "lm"})
            assert socket.receive_json()["prediction"] == whole(client, "good film")

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "text"])
    def test_a_message_may_have_a_mark_and_be_binary(
        self, client: TestClient, encoding: str
    ) -> None:
        with client.websocket_connect("/stream") as socket:
            if encoding == "text":
                socket.send_text('\ufeff{"text": "good film"}')
            else:
                socket.send_bytes('{"text": "good film"}'.encode(encoding))
            assert socket.receive_json()["prediction"] == whole(client, "good film")

    def test_a_failure_of_ours_is_said_and_survived(
        self, client: TestClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with client.websocket_connect("/stream") as socket:
            with monkeypatch.context() as patch:
                patch.setattr(CountingEngine, "step", lambda *_: 1 / 0)
                socket.send_json({"text": "good "})
                assert socket.receive_json()["error"]["type"] == "internal"
            socket.send_json({"text": "bad "})
            assert socket.receive_json()["prediction"] == whole(client, "bad")

    def test_who_is_silent_for_too_long_is_closed(self, store: Path) -> None:
        app = create_app(Settings(store=store, stream_idle_seconds=0.05, threads=1))
        app.state.service.catalog.refresh()
        with TestClient(app) as client, client.websocket_connect("/stream") as socket:
            with pytest.raises(WebSocketDisconnect) as closed:
                socket.receive_json()
            assert (closed.value.code, closed.value.reason) == (1001, "idle for too long")

    def test_open_streams_are_counted(self, client: TestClient) -> None:
        with client.websocket_connect("/stream"):
            assert "gatewise_streams 1.0" in client.get("/metrics").text
