from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from models.errors import VersionCorrupt
from models.metadata import Metadata, NgramTable, WeightRecord
from models.network import Network, check_network, check_state
from models.registry import Store
from tests.versions import make_metadata

STORE = Store(Path(__file__).parents[2] / "models" / "store")


@pytest.fixture(params=["imdb-gru", "imdb-lstm"])
def metadata(request: pytest.FixtureRequest) -> Metadata:
    return STORE.resolve(request.param).metadata


def test_shapes_and_state_are_those_of_an_export(metadata: Metadata) -> None:
    network = Network.of(metadata)
    assert network.state == metadata.state
    recorded = {name: record.shape for name, record in metadata.weights.items()}
    assert network.weights.items() > recorded.items()
    check_network(metadata)
    check_state(metadata)


def change_weight(metadata: Metadata, name: str, **changes: Any) -> Metadata:
    record = metadata.weights.get(name, WeightRecord(offset=0, shape=(1,), dtype="float32"))
    weights = metadata.weights | {name: record.model_copy(update=changes)}
    return metadata.model_copy(update={"weights": weights})


def test_a_weight_of_another_shape_is_refused(metadata: Metadata) -> None:
    """Whoever computes would read beside it."""
    changed = change_weight(metadata, "recurrent_0/bias", shape=(3,))
    with pytest.raises(VersionCorrupt, match="shape of the weight 'recurrent_0/bias': expected"):
        check_network(changed)


def test_a_weight_that_no_network_has_is_refused(metadata: Metadata) -> None:
    with pytest.raises(VersionCorrupt, match="shape of the weight 'other': expected None"):
        check_network(change_weight(metadata, "other"))


def test_another_state_is_refused(metadata: Metadata) -> None:
    changed = metadata.model_copy(update={"state": metadata.state[:-1]})
    with pytest.raises(VersionCorrupt, match=r"state: expected h0\[.*recent\[130\], found"):
        check_state(changed)


def test_a_table_has_a_column_for_each_label_or_one_for_two(metadata: Metadata) -> None:
    table = metadata.architecture.ngrams
    assert table is not None
    shape = metadata.architecture.model_copy(
        update={"ngrams": table.model_copy(update={"columns": 3})}
    )
    with pytest.raises(VersionCorrupt, match="columns of the n-gram table: expected 2, found 3"):
        check_network(metadata.model_copy(update={"architecture": shape}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"units": 16_000, "vocabulary": 100_000}, "vocabulary times units"),
        (
            {"units": 1_000, "vocabulary": 90_000, "embedding": 16_000},
            "times embedding times units",
        ),
        ({"layers": 64, "units": 16_384}, "layers times units"),
        ({"units": 16_385}, "less than or equal to 16384"),
        ({"layers": 65}, "less than or equal to 64"),
        ({"vocabulary": 500_001}, "less than or equal to 500000"),
    ],
)
def test_sizes_are_bounded(changes: dict[str, int], message: str) -> None:
    sizes = make_metadata().architecture
    with pytest.raises(ValidationError, match=message):
        type(sizes).model_validate(sizes.model_dump() | changes)


def test_a_rule_of_early_exit_is_whole() -> None:
    rule = {"every": 8, "intercept": 0.0, "weights": (0.0,) * 7, "limits": {"0.9": 0.0}}
    fields = make_metadata().model_dump()
    for changes, message in (
        ({"weights": (0.0,) * 6}, "the rule has 7 weights, not 6"),
        ({"limits": {"soon": 0.0}}, "pattern"),
        ({"weights": (0.0,) * 8, "ahead": True}, "needs the place of their table"),
        ({"intercept": float("nan")}, "finite"),
    ):
        with pytest.raises(ValidationError, match=message):
            Metadata.model_validate(fields | {"stopping": rule | changes})


def test_an_ngram_table_is_worth_a_number() -> None:
    with pytest.raises(ValidationError, match="less than or equal to 1000000"):
        NgramTable(orders=3, buckets=10, columns=1, scale=1e7)
