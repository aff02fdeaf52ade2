"""Every source gives the vectors that stand in it, or is refused in one clear line."""

import gzip
import pickle
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.training.vectors.models import (
    WIDTH,
    make_vectors,
    write_encoder,
    write_static_model,
    write_text_vectors,
    write_tokenizer,
)
from training.vectors.opening import open_vectors
from training.vectors.source import VectorsError


def refusal(source: Path | str, *words: str) -> str:
    with pytest.raises(VectorsError) as caught:
        open_vectors(str(source)).embed(words or ("good",))
    message = str(caught.value)
    assert "\n" not in message
    return message


class TestTextFiles:
    @pytest.mark.parametrize("header", [True, False])
    @pytest.mark.parametrize("packed", [True, False])
    def test_vectors(self, tmp_path: Path, header: bool, packed: bool) -> None:
        path = tmp_path / "glove.txt"
        expected = write_text_vectors(path, ("good", "été", "."), header=header)
        if packed:
            path = tmp_path / "glove.txt.gz"
            path.write_bytes(gzip.compress((tmp_path / "glove.txt").read_bytes()))
        source = open_vectors(str(path))
        vectors, known = source.embed(["été", "nowhere", "good", "."])
        assert known.tolist() == [True, False, True, True]
        np.testing.assert_allclose(vectors[[0, 2, 3]], expected[[1, 0, 2]], atol=1e-6)
        assert not vectors[1].any()
        assert source.record.name == path.name

    def test_a_word_takes_the_vector_of_its_capital_only_without_its_own(
        self, tmp_path: Path
    ) -> None:
        expected = write_text_vectors(tmp_path / "v.vec", ("Paris", "Good", "good", "GOOD"))
        vectors, known = open_vectors(str(tmp_path / "v.vec")).embed(["paris", "good"])
        assert known.all()
        np.testing.assert_allclose(vectors, expected[[0, 2]], atol=1e-6)

    @pytest.mark.parametrize("header", [True, False])
    def test_words_with_spaces(self, tmp_path: Path, header: bool) -> None:
        words = ("good", ". . .", "at name@domain.com", "to infinity", "3 1/4")
        path = tmp_path / "glove.txt"
        expected = write_text_vectors(path, words, header=header)
        vectors, known = open_vectors(str(path)).embed([*words, ".", "at", "3"])
        assert known.tolist() == [True] * len(words) + [False] * 3
        np.testing.assert_allclose(vectors[: len(words)], expected, atol=1e-6)

    def test_a_first_word_with_spaces_below_the_counts(self, tmp_path: Path) -> None:
        expected = write_text_vectors(tmp_path / "v.vec", (". . .", "good"), header=True)
        vectors, known = open_vectors(str(tmp_path / "v.vec")).embed([". . .", "good"])
        assert known.all()
        np.testing.assert_allclose(vectors, expected, atol=1e-6)

    @pytest.mark.parametrize(
        ("line", "fault"),
        [
            ("more 1 2 3 4 5 6 7", "line 3: 7 numbers, where the lines before have 6"),
            ("more 1 2 3", "line 3: 3 numbers, where the lines before have 6"),
            ("good 1 2 3 4 5 x", "line 3: could not convert string to float"),
            ("good 1 2 3 4 5 nan", "no numbers"),
            ("good 1 2 3 4 5 inf", "no numbers"),
            ("alone", "line 3: a word and its numbers are needed"),
        ],
    )
    def test_broken_lines(self, tmp_path: Path, line: str, fault: str) -> None:
        path = tmp_path / "v.txt"
        write_text_vectors(path, ("one", "two"))
        path.write_text(path.read_text() + f"{line}\n")
        assert fault in refusal(path)

    def test_a_pickle_is_not_opened(self, tmp_path: Path) -> None:
        (tmp_path / "v.txt").write_bytes(pickle.dumps({"good": [1.0]}))
        assert "is a pickle, which can run code and is not read" in refusal(tmp_path / "v.txt")

    def test_a_binary_model(self, tmp_path: Path) -> None:
        (tmp_path / "v.bin").write_bytes(b"\xba\x16\x4f\x2f rest")
        assert "take its .vec file" in refusal(tmp_path / "v.bin")

    def test_no_vectors(self, tmp_path: Path) -> None:
        (tmp_path / "v.txt").write_text("2 6\n")
        assert "holds no vectors" in refusal(tmp_path / "v.txt")


class TestStaticModels:
    def test_a_word_is_the_mean_of_its_tokens(self, tmp_path: Path) -> None:
        table = write_static_model(tmp_path)
        source = open_vectors(str(tmp_path))
        vectors, known = source.embed(["good", "films", "xyz", "GOOD"])
        assert known.tolist() == [True, True, False, True]
        np.testing.assert_allclose(vectors[0], table[2])
        np.testing.assert_allclose(vectors[1], (table[4] + table[7]) / 2, atol=1e-6)
        np.testing.assert_allclose(vectors[3], table[2])
        assert source.record.license == "mit"

    def test_weights_and_shared_rows(self, tmp_path: Path) -> None:
        count = write_tokenizer(tmp_path)
        table = make_vectors(3)
        mapping = np.arange(count, dtype=np.int64) % 3
        weights = np.linspace(0.5, 1.5, count).astype(np.float32)
        tensors = {"embeddings": table, "mapping": mapping, "weights": weights}
        save_file(tensors, tmp_path / "model.safetensors")
        vectors, _ = open_vectors(str(tmp_path)).embed(["good"])
        np.testing.assert_allclose(vectors[0], weights[2] * table[2], rtol=1e-6)

    def test_another_tokenizer(self, tmp_path: Path) -> None:
        write_static_model(tmp_path, tokens=5)
        assert "they do not belong together" in refusal(tmp_path)

    def test_other_tensors(self, tmp_path: Path) -> None:
        write_tokenizer(tmp_path)
        save_file({"encoder.weight": make_vectors(3)}, tmp_path / "model.safetensors")
        assert "has no table 'embeddings'" in refusal(tmp_path)

    def test_no_safetensors(self, tmp_path: Path) -> None:
        write_tokenizer(tmp_path)
        (tmp_path / "model.safetensors").write_bytes(b"rubbish")
        assert "is no file of safetensors" in refusal(tmp_path)

    def test_no_numbers(self, tmp_path: Path) -> None:
        count = write_tokenizer(tmp_path)
        save_file({"embeddings": np.full((count, 3), np.nan)}, tmp_path / "model.safetensors")
        assert "no numbers" in refusal(tmp_path)


class TestEncoders:
    @pytest.mark.parametrize("name", ["model.onnx", "onnx/model_int8.onnx", "mine.onnx"])
    def test_a_text_is_the_mean_of_its_states(self, tmp_path: Path, name: str) -> None:
        table = write_encoder(tmp_path, name=name)
        vectors, known = open_vectors(str(tmp_path)).embed(["good", "the films", "xyz"])
        assert known.all()
        np.testing.assert_allclose(vectors[0], table[2])
        np.testing.assert_allclose(vectors[1], table[[9, 4, 7]].mean(axis=0), atol=1e-6)
        np.testing.assert_allclose(vectors[2], table[1])

    def test_the_first_state_where_the_configuration_says_so(self, tmp_path: Path) -> None:
        table = write_encoder(tmp_path)
        (tmp_path / "1_Pooling").mkdir()
        config = tmp_path / "1_Pooling" / "config.json"
        config.write_text('{"pooling_mode_cls_token": true}')
        vectors, _ = open_vectors(str(tmp_path)).embed(["the films"])
        np.testing.assert_allclose(vectors[0], table[9])

    def test_many_texts_keep_their_order(self, tmp_path: Path) -> None:
        table = write_encoder(tmp_path)
        words = ["good", "the film", "bad", "soup soup soup"] * 50
        vectors, _ = open_vectors(str(tmp_path)).embed(words)
        for place in (0, 2, 196, 198):
            np.testing.assert_allclose(vectors[place], table[2 if place % 4 == 0 else 3])

    def test_no_encoder(self, tmp_path: Path) -> None:
        write_encoder(tmp_path, input="pixels")
        assert "is no encoder of texts: it asks for pixels" in refusal(tmp_path)

    def test_no_network(self, tmp_path: Path) -> None:
        write_tokenizer(tmp_path)
        (tmp_path / "model.onnx").write_bytes(b"rubbish")
        assert "is no ONNX network" in refusal(tmp_path)

    def test_another_tokenizer(self, tmp_path: Path) -> None:
        write_encoder(tmp_path)
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
        tokenizer.add_tokens([f"new{number}" for number in range(20)])
        tokenizer.save(str(tmp_path / "tokenizer.json"))
        assert "cannot read the tokens of tokenizer.json" in refusal(tmp_path, "new19")


class TestFolders:
    def test_no_tokenizer(self, tmp_path: Path) -> None:
        (tmp_path / "pytorch_model.bin").touch()
        assert "has no tokenizer.json; pytorch_model.bin is a pickle" in refusal(tmp_path)

    def test_no_weights(self, tmp_path: Path) -> None:
        write_tokenizer(tmp_path)
        assert "has no network as ONNX and no model.safetensors" in refusal(tmp_path)

    @pytest.mark.parametrize(
        "source", ["./nowhere", "/nowhere", "nowhere.txt", "a/b/c", "~nobody-here/v.txt"]
    )
    def test_nothing_there(self, source: str) -> None:
        assert refusal(source) == f"--vectors {source!r}: no such file or folder"

    def test_no_tokenizer_file(self, tmp_path: Path) -> None:
        write_static_model(tmp_path)
        (tmp_path / "tokenizer.json").write_text("{}")
        assert "is no tokenizer" in refusal(tmp_path)

    def test_the_hash_is_that_of_the_content(self, tmp_path: Path) -> None:
        hashes = set()
        for name in ("a", "b"):
            write_static_model(tmp_path / name)
            hashes.add(open_vectors(str(tmp_path / name)).record.sha256)
        assert len(hashes) == 1
        save_file({"embeddings": make_vectors(10, seed=1)}, tmp_path / "a" / "model.safetensors")
        assert open_vectors(str(tmp_path / "a")).record.sha256 not in hashes


def test_widths_are_those_of_the_source(tmp_path: Path) -> None:
    write_static_model(tmp_path)
    assert open_vectors(str(tmp_path)).embed(["good"])[0].shape == (1, WIDTH)
