"""Compares the token ids that both checkouts make, and the metadata that they read."""

import json
from collections.abc import Sequence

from benchmarks.sameness.checkout import MODELS, Checkout, Pair
from benchmarks.sameness.report import Report
from benchmarks.sameness.texts import ODD

# Runs in each checkout, and uses nothing but two modules of it.
ENCODE = """\
import json
import sys
from pathlib import Path

from models.metadata import Metadata
from models.tokenizer import Tokenizer

source, target, *folders = map(Path, sys.argv[1:])
texts = json.loads(source.read_text())
found = {}
for folder in folders:
    tokenizer = Tokenizer.load(folder / "tokenizer.json")
    found[str(folder)] = {
        "digest": tokenizer.digest,
        "metadata": json.loads(Metadata.load(folder / "metadata.json").model_dump_json()),
        "ids": [list(map(int, tokenizer.encode(text))) for text in texts],
        "with offsets": [tokenizer.encode_with_offsets(text) for text in texts],
        "open": [tokenizer.split_open(text) for text in texts],
    }
target.write_text(json.dumps(found, default=list))
"""


def compare_ids(pair: Pair, report: Report, texts: Sequence[str]) -> None:
    """Compare ids, their characters and where a text may continue, for each tokenizer."""
    folder = pair.folder("ids")
    source = folder / "texts.json"
    source.write_text(json.dumps([*ODD, *texts]))
    versions = [f"models/store/{model}/1/assets.extra" for model in MODELS]

    def encode(checkout: Checkout) -> object:
        target = folder / f"{checkout.side}.json"
        checkout.run_well("-c", ENCODE, str(source), str(target), *versions)
        return json.loads(target.read_text())

    report.require("ids", *pair.both(encode))
    report.same(f"ids, offsets, metadata: {' and '.join(MODELS)}, {len(ODD) + len(texts):,} texts")
