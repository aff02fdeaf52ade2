"""The reference in double precision computes what the equations and the contract say."""

from dataclasses import replace

import numpy as np
import pytest

from models.cells import CELLS, CellName, run_cell
from models.ngram_lookup import NgramLookup
from tests.training.export.test_agreement import ROWS, UNITS, VOCABULARY, draw
from training.export import reference as module
from training.export.cases import SHORT, rows_of_all_tokens


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layers", [1, 2])
def test_the_logits_are_those_of_one_text_after_the_other(cell: CellName, layers: int) -> None:
    classifier = replace(draw(cell, layers=layers), ngrams=None)
    found = classifier.answer(ROWS, draws=0).logits
    for row, logits in zip(ROWS, found, strict=True):
        states = classifier.embedding[row]
        for layer in classifier.layers:
            states = run_cell(layer, states).states[0] if row else np.zeros((0, UNITS))
        empty = np.zeros((1, UNITS))
        whole = np.concatenate([empty, states])
        mean = states.mean(axis=0) if row else empty[0]
        pooled = np.concatenate([whole.max(axis=0), mean, whole[-1]])
        expected = pooled @ classifier.kernel + classifier.bias
        np.testing.assert_allclose(logits, expected, atol=1e-6)  # states are stored single


def test_ngrams_add_what_a_lookup_says() -> None:
    classifier = draw(labels=3)
    table = np.sign(classifier.ngrams) * np.sqrt(np.abs(classifier.ngrams))
    row = np.random.default_rng(1).integers(1, VOCABULARY, 40).tolist()
    alone = replace(classifier, ngrams=None)
    added = classifier.answer([row], draws=0).logits - alone.answer([row], draws=0).logits
    coming = NgramLookup(table, 1.0, 3).coming(row, every=39)[0]
    first = classifier.answer([row[:39]], draws=0).logits - alone.answer([row[:39]]).logits
    # The lookup counts all from the logits at a look on, each over the root of the tokens then.
    np.testing.assert_allclose(added - first, coming[None], atol=1e-5)


def test_answers_do_not_depend_on_the_other_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = draw("lstm")
    together = classifier.answer(ROWS)
    monkeypatch.setattr(module, "AT_ONCE", 3)
    np.testing.assert_allclose(classifier.answer(ROWS).logits, together.logits, rtol=1e-12)
    assert (together.rounding > 0).all()


def test_every_token_is_in_one_short_row() -> None:
    rows = rows_of_all_tokens(vocabulary=100)
    assert sorted(token for row in rows for token in row) == list(range(1, 100))
    assert max(map(len, rows)) == SHORT
