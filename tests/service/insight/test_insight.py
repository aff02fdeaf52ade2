"""Why, and where on the way: contributions and trajectories, with an engine to check by hand."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from models.decisions import log_odds
from service.insight.sentences import find_sentences
from service.scheduling.scheduler import Scheduler
from service.texts import MOST_TOKENS
from tests.versions import make_tokenizer, publish

TEXT = "A good, good film! It is bad… Bad, bad, bad?"


def ask(client: TestClient, text: str, **more: Any) -> Any:
    answer = client.post("/predict", json={"text": text, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


class TestContributions:
    def test_they_are_what_the_engine_counts(self, client: TestClient) -> None:
        explanation = ask(client, TEXT, explain=True)["explanation"]
        assert explanation["label"] == "neg"
        given = {}
        for token in explanation["tokens"]:
            given.setdefault(TEXT[token["start"] : token["end"]], token["contribution"])
        assert given["good"] == pytest.approx(-1, abs=1e-6)
        assert [given["bad"], given["Bad"]] == pytest.approx([1, 1], abs=1e-6)
        assert given["film"] == given[","] == 0

    def test_they_add_up(self, client: TestClient) -> None:
        answer = ask(client, TEXT, explain="prefix")
        explanation = answer["explanation"]
        total = sum(token["contribution"] for token in explanation["tokens"])
        odds = explanation["log_odds"] - explanation["log_odds_of_nothing"]
        assert total == pytest.approx(odds, abs=1e-9)
        p = answer["score"]
        assert explanation["log_odds"] == pytest.approx(np.log(p / (1 - p)), abs=1e-5)

    def test_every_token_has_its_place(self, client: TestClient) -> None:
        answer = ask(client, TEXT, explain=True)
        tokens = answer["explanation"]["tokens"]
        assert len(tokens) == answer["tokens"]
        assert all(a["end"] <= b["start"] for a, b in pairwise(tokens))

    def test_tokens_are_where_they_are_written(self, client: TestClient) -> None:
        text = "\ufeffA go\u00adod film\u200bs \u200bb\u200da\u200dd!"
        answer = ask(client, text, explain=True, trajectory=True)
        tokens = answer["explanation"]["tokens"]
        parts = [text[token["start"] : token["end"]] for token in tokens]
        assert parts == ["A", "go\u00adod", "film", "s", "b\u200da\u200dd", "!"]
        assert answer["probabilities"] == ask(client, "A good films bad!")["probabilities"]

    def test_what_is_missing_is_missed(self, client: TestClient) -> None:
        explanation = ask(client, "good film bad bad", explain="occlusion")["explanation"]
        falls = [token["contribution"] for token in explanation["tokens"]]
        assert falls == pytest.approx([-1, 0, 1, 1], abs=1e-6)
        assert "log_odds_of_nothing" not in explanation

    @pytest.mark.parametrize("method", ["prefix", "occlusion"])
    def test_the_empty_text_has_no_tokens(self, client: TestClient, method: str) -> None:
        explanation = ask(client, " ", explain=method)["explanation"]
        assert (explanation["tokens"], explanation["log_odds"]) == ([], 0)

    def test_the_prediction_is_the_same(self, client: TestClient) -> None:
        for more in ({"explain": True}, {"explain": "occlusion"}, {"trajectory": True}):
            answer = ask(client, TEXT, **more)
            for name, value in ask(client, TEXT).items():
                assert answer[name] == value

    def test_too_many_tokens_are_refused(
        self, client: TestClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(MOST_TOKENS, "occlusion", 3)
        answer = client.post("/predict", json={"text": "a a a a", "explain": "occlusion"})
        assert answer.status_code == 413
        assert answer.json()["error"]["field"] == "explain"

    def test_too_many_gates_are_refused(
        self, client: TestClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(MOST_TOKENS, "gates", 3)
        answer = client.post("/predict", json={"text": "a a a a", "gates": True})
        assert (answer.status_code, answer.json()["error"]["field"]) == (413, "gates")

    @pytest.mark.parametrize("method", ["prefix", "occlusion"])
    def test_all_that_they_need_is_asked_for_at_once(
        self, client: TestClient, method: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        compute = Scheduler.compute
        deadlines: list[float] = []

        def spy(self: Scheduler, *arguments: Any, deadline: float, **more: Any) -> Any:
            deadlines.append(deadline)
            return compute(self, *arguments, deadline=deadline, **more)

        monkeypatch.setattr(Scheduler, "compute", spy)
        ask(client, TEXT, explain=method)
        assert len(deadlines) == 1

    def test_help_says_what_they_mean(self, client: TestClient) -> None:
        meanings = client.get("/explanations").json()
        assert set(meanings) == {"prefix", "occlusion"}
        assert "add up" in meanings["prefix"]


class TestTrajectory:
    def test_each_stand_is_the_verdict_so_far(self, client: TestClient) -> None:
        stands = ask(client, TEXT, trajectory=True)["trajectory"]
        sentences = [TEXT[stand["start"] : stand["end"]] for stand in stands]
        assert sentences == ["A good, good film!", "It is bad…", "Bad, bad, bad?"]
        for stand in stands:
            so_far = ask(client, TEXT[: stand["end"]])
            assert stand["labels"] == [so_far["label"]]
            assert stand["probabilities"] == so_far["probabilities"]

    def test_turns_are_where_the_label_changes(self, client: TestClient) -> None:
        (turn,) = ask(client, TEXT, trajectory=True)["turns"]
        assert TEXT[turn["start"] : turn["end"]] == "Bad, bad, bad?"
        assert (turn["before"], turn["after"]) == (["pos"], ["neg"])

    def test_the_empty_text_has_none(self, client: TestClient) -> None:
        answer = ask(client, "", trajectory=True)
        assert (answer["trajectory"], answer["turns"]) == ([], [])

    def test_both_can_be_asked_for(self, client: TestClient) -> None:
        both = ask(client, TEXT, trajectory=True, explain=True)
        assert both["trajectory"] == ask(client, TEXT, trajectory=True)["trajectory"]
        assert both["explanation"] == ask(client, TEXT, explain=True)["explanation"]

    @pytest.mark.parametrize("text", ["\ufeff\n\nGood film.", "\u00ad", "\u00ad\n\n\u00ad"])
    def test_a_sentence_without_a_token(self, client: TestClient, text: str) -> None:
        both = ask(client, text, trajectory=True, explain=True)
        assert both["trajectory"] == ask(client, text, trajectory=True)["trajectory"]
        assert both["explanation"] == ask(client, text, explain=True)["explanation"]

    def test_of_several_labels(self, client: TestClient, store: Path) -> None:
        publish(store, name="tags", task="multi_label", thresholds=(0.4, 0.4))
        client.app.state.service.catalog.refresh()
        answer = ask(client, "Film. Good.", trajectory=True, explain=True, model="tags")
        assert [set(stand["labels"]) for stand in answer["trajectory"]] == [{"neg", "pos"}, {"pos"}]
        assert answer["explanation"]["label"] == "pos"


def test_gates_need_a_version_that_names_its_weights(client: TestClient) -> None:
    answer = client.post("/predict", json={"text": "a", "gates": True})
    assert (answer.status_code, answer.json()["error"]["type"]) == (409, "no_weights")
    with client.websocket_connect("/stream") as socket:
        socket.send_json({"text": "a", "explain": True, "gates": True})
        assert socket.receive_json()["error"]["type"] == "no_weights"


@pytest.mark.parametrize("more", [{"explain": True}, {"trajectory": True}])
def test_of_several_texts_none_is_looked_into(client: TestClient, more: Any) -> None:
    answer = client.post("/predict", json={"texts": ["a"], **more})
    assert answer.status_code == 422


@pytest.mark.parametrize("more", [{"explain": True}, {"trajectory": True}])
def test_a_version_that_reads_whole_texts_says_so(
    client: TestClient, store: Path, more: Any
) -> None:
    publish(store, name="whole", streamable=False, state=())
    client.app.state.service.catalog.refresh()
    answer = client.post("/predict", json={"text": "a", "model": "whole", **more})
    assert (answer.status_code, answer.json()["error"]["type"]) == (409, "not_streamable")
    assert ask(client, "good bad", explain="occlusion", model="whole")["explanation"]["tokens"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n ", []),
        ("No end", ["No end"]),
        ("One. Two!  Three?", ["One.", "Two!", "Three?"]),
        ("It cost 3.50. Cheap.", ["It cost 3.50.", "Cheap."]),
        ('He said "No." She left.', ['He said "No."', "She left."]),
        ("Wait... what?!", ["Wait...", "what?!"]),
        ("A heading\n\nA text", ["A heading", "A text"]),
        ("好。不好！", ["好。", "不好！"]),
        (". . .", [".", ".", "."]),
        ("..x. ..)..) y", ["..x.", "..)..)", "y"]),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in find_sentences(text)] == expected


@pytest.mark.medium
@pytest.mark.parametrize("run", [".", ".)", "?", "。」", "\n ", '…"'])
def test_runs_are_not_gone_through_again_and_again(run: str) -> None:
    text = run * 300_000 + "x"  # with every start tried, hours
    assert find_sentences(text)[-1][1] == len(text)


@given(st.text(alphabet="ab'’.!?。」👩🚀\u200d\u0301\"\n ", max_size=60))
def test_sentences_have_the_tokens_of_the_text(text: str) -> None:
    tokenizer = make_tokenizer()
    spans = find_sentences(text)
    ids = [id for start, end in spans for id in tokenizer.encode(text[start:end])]
    assert ids == tokenizer.encode(text)
    assert all(a[1] <= b[0] for a, b in pairwise(spans))


def test_log_odds_keep_their_digits() -> None:
    probabilities = np.array([[1e-9, 1.0]], np.float32)
    assert log_odds(probabilities, 1, task="single_label") == pytest.approx(np.log(1e9), rel=1e-6)
    assert np.isfinite(log_odds(probabilities, 1, task="multi_label")).all()
