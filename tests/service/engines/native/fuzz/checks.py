"""What must hold of every answer, whatever the classifier, the texts and their states."""

import numpy as np
from numpy.typing import NDArray

from service.engines.native.layout import Precision
from tests.service.engines.native.fuzz.batches import Batch, State
from tests.service.engines.native.fuzz.reading import UNWRITTEN, Answer, Fault, read
from tests.service.engines.native.fuzz.subjects import Subject
from tests.service.engines.native.made_up import expect

ERRORS: dict[Precision, float] = {"float32": 2e-5, "int16": 5e-3, "int8": 0.15}
"""Of a probability, ten times those that test_engine.py allows: here the shapes are any."""
COMPARED_TOKENS = 40  # of a text at most, because NumPy is slow


def check(subject: Subject, batch: Batch, answer: Answer) -> None:
    """Check what can be told of an answer by itself.

    Raises:
        Fault: It is not so.
    """
    for text, row in enumerate(batch.rows):
        probabilities, come = answer.probabilities[text], batch.looks[text] <= len(row)
        _demand((probabilities[~come] == UNWRITTEN).all(), "a look that never came was written")
        _check_probabilities(subject, probabilities[come], hostile=bool(batch.hostile[text]))
        if answer.gates is not None:
            _check_gates(answer.gates[text], hostile=bool(batch.hostile[text]))
    if answer.after is not None:
        _check_states(subject, batch, answer.after)


def check_other_order(
    random: np.random.Generator, subject: Subject, batch: Batch, answer: Answer
) -> None:
    """Check that some of the texts get the same bits in another order.

    Raises:
        Fault: They do not.
    """
    order = random.permutation(len(batch.rows))
    if random.random() < 0.5:
        order = order[: random.integers(len(order) + 1)]
    again = read(subject, batch.choose(order))
    for text, probabilities in zip(order, again.probabilities, strict=True):
        _demand(same_bits(probabilities, answer.probabilities[text]), "company changes bits")
    if answer.after is not None and again.after is not None:
        _demand(same_bits(again.after, answer.after[order]), "company changes bits of states")
    if answer.gates is not None and again.gates is not None:
        for text, gates in zip(order, again.gates, strict=True):
            _demand(same_bits(gates, answer.gates[text]), "company changes bits of gates")


def check_pieces(
    random: np.random.Generator, subject: Subject, batch: Batch, answer: Answer
) -> None:
    """Check that the texts get the same bits when each is cut in two.

    Raises:
        Fault: They do not.
    """
    cuts = [int(random.integers(len(row) + 1)) for row in batch.rows]
    first = read(subject, batch.head(cuts))
    assert first.after is not None
    second = read(subject, batch.tail(cuts, before=first.after))
    for text, whole in enumerate(answer.probabilities):
        parts = np.concatenate([first.probabilities[text], second.probabilities[text]])
        _demand(same_bits(parts, whole), "a cut changes bits")
    if answer.after is not None and second.after is not None:
        _demand(same_bits(second.after, answer.after), "a cut changes bits of states")
    if answer.gates is not None and first.gates is not None and second.gates is not None:
        for parts, gates in zip(
            zip(first.gates, second.gates, strict=True), answer.gates, strict=True
        ):
            _demand(same_bits(np.concatenate(parts), gates), "a cut changes bits of gates")


def check_equations(subject: Subject, batch: Batch) -> None:
    """Check that a text gets what the equations give in NumPy.

    Raises:
        Fault: It does not.
    """
    row = max(batch.rows, key=len, default=np.empty(0, np.int32))[:COMPARED_TOKENS]
    alone = Batch(
        rows=[row],
        looks=[np.array([len(row)])],
        before=None,
        hostile=np.zeros(1, np.bool_),
        wants_after=False,
        wants_gates=False,
    )
    found, expected = (
        read(subject, alone).probabilities[0][0],
        expect(subject.weights, row.tolist()),
    )
    error = float(np.abs(found - expected).max())
    _demand(error < ERRORS[subject.shape.precision], f"a probability is off by {error:.2g}")


def bits_of(array: NDArray[np.float32]) -> NDArray[np.int32]:
    """Return the bits of numbers; those of all that are no numbers are alike."""
    return np.where(np.isnan(array), np.float32(np.nan), array).view(np.int32)


def same_bits(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    """Return whether two arrays are the same."""
    return np.array_equal(bits_of(one), bits_of(other))


def _check_probabilities(
    subject: Subject, probabilities: NDArray[np.float32], *, hostile: bool
) -> None:
    good = (probabilities >= 0) & (probabilities <= 1)
    if hostile:
        _demand((good | np.isnan(probabilities)).all(), "no probability from a hostile state")
        return
    _demand(good.all(), "no probability")
    if subject.shape.exclusive:
        _demand((np.abs(probabilities.sum(axis=1) - 1) < 1e-5).all(), "the sum is not 1")


def _check_gates(gates: NDArray[np.float32], *, hostile: bool) -> None:
    good = (gates >= 0) & (gates <= 1)
    _demand((good | (hostile & np.isnan(gates))).all(), "an opening is not in [0, 1]")


def _check_states(subject: Subject, batch: Batch, after: State) -> None:
    sane = ~batch.hostile
    _demand(np.isfinite(after[sane]).all(), "a state is not finite")
    for name, place in subject.places.items():
        values = after[:, place]
        if name.startswith("h"):
            _demand((np.abs(values) <= 1).all(), "h is not in [-1, 1]")
        elif name == "recent":
            known = (values >= 0) & (values < subject.shape.vocabulary)
            _demand((known & (values == np.floor(values))).all(), "a recent id is none")
        elif name == "count":
            read_before = 0.0 if batch.before is None else batch.before[sane, place.start]
            lengths = np.array([len(row) for row in batch.rows], np.int64)
            counts = read_before + lengths[sane]
            _demand((values[sane, 0] == counts).all(), "the count is wrong")


def _demand(holds: bool | np.bool_, otherwise: str) -> None:
    if not holds:
        raise Fault(otherwise)
