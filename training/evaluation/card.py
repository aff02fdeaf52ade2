"""Writes the model card of a version."""

from collections.abc import Mapping

from models.metadata import Metadata, Setting
from models.normalization import NORMALIZATIONS

_CARD = """\
# {name}

A {cell} that tells {labels} apart. Trained {created} with Gatewise on {source}.

| rows | accuracy | macro-F1 | log loss |
|---|---|---|---|
{metrics}

{headline} The [report](report/report.html) has intervals, every class, lengths, calibration and the
comparison in full.

Figures are those of the exported version, each text read whole, as the service computes them.
The validation rows also chose the epoch, the temperature and any thresholds, so trust the test rows
where there are any.

| | |
|---|---|
| cell | {layers} × {cell}, {units} units |
| embedding | {vocabulary:,} tokens × {embedding}, 16 bits |
| normalisation of words | {normalization} |
| starts from | {origins} |
| labels of a teacher | {teacher} |
| n-grams | {ngrams} |
| parameters | {parameters:,} |
| time to answer | {answer_times}, one at a time |
| trained on | {rows:,} texts of {tokens:,} tokens in all, in {seconds:.0f} s |
| best epoch | {best_epoch:.0f} of {epochs:.0f} |
| data revision | {revision} |

It knows the language, the subject and the time of its training data, and answers with one of its
labels whatever it is asked. `metadata.json` beside this file has every setting.
"""


_ORIGINS = {
    "vectors": "the word vectors of",
    "pretrained": "the pretrained network",
    "encoder": "what it was taught by",
}


def write_card(metadata: Metadata, *, normalization: int, headline: str, answer_times: str) -> str:
    """Return the model card of a version as Markdown.

    Args:
        metadata: Metadata of the version.
        normalization: Number of its tokenizer's normalisation.
        headline: Its main figures in words.
        answer_times: Its times to answer in words.
    """
    data, shape, training = metadata.data, metadata.architecture, metadata.training
    rows = [(split.replace("_", " "), figures) for split, figures in metadata.metrics.items()]
    rows += [(f"{split}, linear baseline", figures) for split, figures in metadata.baseline.items()]
    metrics = [
        f"| {name} ({figures['rows']:,.0f}) | {figures['accuracy']:.4f} | "
        f"{figures['macro_f1']:.4f} | {figures['log_loss']:.4f} |"
        for name, figures in rows
    ]
    table = shape.ngrams
    ngrams = f"up to {table.orders} tokens, in {table.buckets:,} buckets" if table else "none"
    return _CARD.format(
        name=metadata.name,
        labels=_enumerate(metadata.labels),
        created=f"{metadata.created:%Y-%m-%d}",
        source=data.source + (f" ({data.config})" if data.config else ""),
        metrics="\n".join(metrics),
        headline=headline,
        answer_times=answer_times,
        normalization=f"{normalization} ({NORMALIZATIONS[normalization].description})",
        ngrams=ngrams,
        origins=_name_origins(metadata.settings),
        teacher=_name_teacher(metadata.settings),
        cell=shape.cell.upper(),
        layers=shape.layers,
        units=shape.units,
        vocabulary=shape.vocabulary,
        embedding=shape.embedding,
        parameters=shape.parameters,
        rows=data.train.rows,
        tokens=data.train.tokens,
        seconds=training["seconds"],
        best_epoch=training["best_epoch"],
        epochs=training["epochs"],
        revision=data.revision or "local files, sha256 " + data.train.sha256[:12],
    )


def _name_origins(settings: Mapping[str, Setting]) -> str:
    """Return the sources of what the network started from, with their licences."""
    named = [
        f"{what} {settings[f'{origin}_name']} "
        f"({settings.get(f'{origin}_license') or 'licence not named by its source'})"
        for origin, what in _ORIGINS.items()
        if settings.get(f"{origin}_name")
    ]
    return ", then ".join(named) or "nothing"


def _name_teacher(settings: Mapping[str, Setting]) -> str:
    """Return who labelled further texts, with its licence."""
    if not settings.get("teacher_name"):
        return "none"
    terms = settings.get("teacher_license") or "licence not named by its source"
    return f"{settings['teacher_name']} ({terms})"


def _enumerate(labels: tuple[str, ...]) -> str:
    if len(labels) > 12:
        return f"{len(labels)} classes"
    return ", ".join(labels[:-1]) + " and " + labels[-1]
