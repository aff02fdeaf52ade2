"""Computes the summary of a comparison: all figures on page, plots and terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from training.calibration.metrics import is_right
from training.comparison import verdict
from training.comparison.candidates import Contestant, count_weights
from training.comparison.gradients import FAINT, choose_rows, reach
from training.comparison.half_lives import TEXTS
from training.comparison.interruption import INSERTED
from training.comparison.material import Judged, Material
from training.comparison.records import Examined
from training.defaults import choose_batch
from training.report.measures import MEASURES
from training.report.scores import Scored, lead, make_score, score
from training.targets import count_classes

SUMMARY_VERSION = 1
CURVE_POINTS = 100  # of a curve over steps
BINS = 4  # of length
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
ALL = "all"  # tokens

Summary = dict[str, Any]
Seeds = Mapping[str, Sequence[Examined]]
"""The results by contestant."""


def summarize(
    material: Material,
    contestants: Sequence[Contestant],
    examined: Sequence[Examined],
    *,
    tasks: Summary | None,
) -> Summary:
    """Return all figures of a comparison, and its verdict."""
    whole = {c.key: [e for e in examined if e.contestant == c.key] for c in contestants}
    sound = {key: [e for e in seeds if not e.failed] for key, seeds in whole.items()}
    sound = {key: seeds for key, seeds in sound.items() if seeds}
    scored = {
        purpose: _score(material, judged, sound, purpose=purpose)
        for purpose, judged in material.judged.items()
    }
    shown = [_contestant(material, c, whole[c.key], scored) for c in contestants]
    return {
        "summary_version": SUMMARY_VERSION,
        "data": _data(material),
        "settings": _settings(material, examined),
        "measure": measure_of(material),
        "contestants": shown,
        "baseline": {"kind": material.baseline.kind, "scores": _scores(scored, verdict.BASELINE)},
        "ngrams": {"scores": _scores(scored, verdict.NGRAMS)},
        "leads": _leads(contestants, scored),
        "by_length": _by_length(material, sound),
        "memory_rows": _memory_rows(material),
        "verdict": _verdict(material, contestants, whole, scored),
        "tasks": tasks,
        "inserted": list(INSERTED),
        "cuts": [*material.cuts, ALL] if material.cuts else [],
        "faint": FAINT,
    }


def measure_of(material: Material) -> str:
    """Return the deciding measure: macro-F1 for unequal classes, else accuracy."""
    return str(material.run.score)


def _score(
    material: Material, judged: Judged, sound: Seeds, *, purpose: str
) -> dict[str, dict[str, Scored]]:
    """Return the scores by measure and by name: KEY, KEY joined, KEY CUT, n-grams, baseline."""
    decided: dict[str, list[Any]] = {
        verdict.BASELINE: [judged.baseline],
        verdict.NGRAMS: [judged.ngrams_alone],
    }
    for key, seeds in sound.items():
        decided[key] = [each.arrays[f"alone/{purpose}"] for each in seeds]
        decided[f"{key} joined"] = [each.arrays[f"joined/{purpose}"] for each in seeds]
        if purpose == "validation":
            for cut in material.cuts:
                decided[f"{key} {cut}"] = [each.arrays[f"cut/{cut}"] for each in seeds]
    data = material.run.prepared.data
    return {
        name: score(judged.labels, decided, labels=len(data.labels), measure=name)
        for name in dict.fromkeys([measure_of(material), *MEASURES[data.task]])
        if name != "subset_accuracy"
    }


def _data(material: Material) -> Summary:
    prepared = material.run.prepared
    lengths = prepared.lengths("train")
    return {
        "source": prepared.data.source.name,
        "task": prepared.data.task,
        "labels": len(prepared.data.labels),
        "train": {"name": prepared.data.train.name, "rows": len(prepared.data.train)},
        "judged": {
            purpose: {
                "rows": len(judged.ids),
                "of": len(prepared.data.splits[purpose]),
                "name": prepared.data.splits[purpose].name,
            }
            for purpose, judged in material.judged.items()
        },
        "tokens": {str(q): float(np.quantile(lengths, q)) for q in QUANTILES},
        "vocabulary": len(prepared.tokenizer),
    }


def _settings(material: Material, examined: Sequence[Examined]) -> Summary:
    settings, data = material.run.settings, material.run.prepared.data
    return {
        "units": settings.network.units,
        "embedding": settings.network.embedding,
        "dropout": settings.network.dropout,
        "word_dropout": settings.network.word_dropout,
        "adversarial": settings.fit.adversarial,
        "batch": settings.fit.batch or choose_batch(len(data.train), task=data.task),
        "learning_rate": settings.fit.learning_rate,
        "max_tokens": settings.max_tokens,
        "pretrained": bool(settings.pretrained),
        "seed": settings.seed,
        "seeds": sorted({each.seed for each in examined}),
    }


def _contestant(
    material: Material,
    contestant: Contestant,
    seeds: Sequence[Examined],
    scored: Mapping[str, dict[str, dict[str, Scored]]],
) -> Summary:
    settings = material.run.settings.network
    labels = len(material.run.prepared.data.labels)
    sound = [each for each in seeds if not each.failed]
    found: Summary = {
        "key": contestant.key,
        "name": contestant.name,
        "cell": contestant.cell,
        "units": contestant.units,
        "conditions": list(contestant.conditions),
        "weights": count_weights(
            contestant.cell, units=contestant.units, embedding=settings.embedding, labels=labels
        ),
        "multiplications": contestant.multiplications(settings.embedding),
        "failures": [each.record["failure"] for each in seeds if each.failed],
        "scores": None,
    }
    if not sound:
        return found
    return found | {
        "scores": {
            purpose: {
                kind: {
                    measure: make_score(by[contestant.key + end]) for measure, by in table.items()
                }
                for kind, end in (("alone", ""), ("joined", " joined"))
            }
            for purpose, table in scored.items()
        },
        "cuts": [
            make_score(scored["validation"][measure_of(material)][name])
            for name in (*(f"{contestant.key} {cut}" for cut in material.cuts), contestant.key)
        ],
        "log_loss": _means(each.record["log_loss"] for each in sound),
        "parameters": sound[0].record["parameters"],
        "ease": _ease(sound),
        "effort": _effort(sound),
        "cost": next((e.record["cost"] for e in sound if e.record["cost"]), None),
        "memory": _memory(sound),
    }


def _ease(sound: Sequence[Examined]) -> Summary:
    norms = [each.arrays["norm"] for each in sound]
    return {
        "best_epochs": [each.record["best_epoch"] for each in sound],
        "steps_to_best": [
            round(each.record["steps"] * each.record["best_epoch"] / len(each.record["epochs"]))
            for each in sound
        ],
        "largest_norm": float(max(norm.max() for norm in norms)),
        "median_norm": float(np.median(np.concatenate(norms))),
        "norms": _mean_curve(norms),
        "losses": _mean_curve([each.arrays["loss"] for each in sound]),
        "epochs": _mean_epochs(sound),
    }


def _mean_curve(curves: Sequence[np.ndarray]) -> list[tuple[int, float]]:
    """Return (step, mean over seeds and neighbouring steps) at some points."""
    shortest = min(map(len, curves))
    mean = np.mean([curve[:shortest] for curve in curves], axis=0)
    parts = np.array_split(mean, min(CURVE_POINTS, shortest))
    ends = np.cumsum([len(part) for part in parts])
    return [(int(end), float(part.mean())) for end, part in zip(ends, parts, strict=True)]


def _mean_epochs(sound: Sequence[Examined]) -> list[Summary]:
    """Return the mean figures of each epoch that all seeds reached, with the steps until then."""
    count = min(len(each.record["epochs"]) for each in sound)
    found = []
    for epoch in range(count):
        figures = _means(each.record["epochs"][epoch] for each in sound)
        each = sound[0].record
        steps = each["steps"] * (epoch + 1) // len(each["epochs"])
        found.append({"steps": steps} | figures)
    return found


def _effort(sound: Sequence[Examined]) -> Summary:
    """Return the cost of training, as means over the seeds."""
    return _means(
        {
            "seconds": each.record["seconds"],
            "tokens_per_second": each.record["tokens"] / each.record["seconds"],
            "cpu_per_million": 1e6 * each.record["cpu_seconds"] / each.record["tokens"],
        }
        for each in sound
    )


def _memory(sound: Sequence[Examined]) -> Summary:
    # The median, because a single seed with an exploding gradient would hide the others.
    fading = {
        of: np.median([each.arrays[f"fading/{of}"] for each in sound], axis=0)
        for of in ("state", "verdict")
    }
    half_lives = [each.arrays["half_lives"] for each in sound if "half_lives" in each.arrays]
    everyone = np.sort(np.concatenate(half_lives)) if half_lives else None
    return {
        "fading": {of: shares.tolist() for of, shares in fading.items()},
        "reach": {of: reach(shares) for of, shares in fading.items()},
        "half_lives": None if everyone is None else _thin(everyone),
        "half_life_quantiles": None
        if everyone is None
        else {str(q): float(np.quantile(everyone, q)) for q in QUANTILES},
        "flips": np.mean([each.record["flips"] for each in sound], axis=0).tolist(),
    }


def _memory_rows(material: Material) -> Summary:
    """Return the rows that gradients and half-lives come from: the first ones of those drawn."""
    judged = material.judged["validation"]
    chosen, span = choose_rows(judged.drawn)
    first = judged.order[:TEXTS]
    long = judged.order[chosen]
    return {
        "fading": {"rows": len(long), "tokens": span, "labels": _labels(material, long)},
        "half_lives": {"rows": len(first), "labels": _labels(material, first)},
    }


def _labels(material: Material, rows: np.ndarray) -> dict[str, int]:
    """Return the count of each label among some validation rows, without absent labels."""
    names = material.run.prepared.data.labels
    counts = count_classes(material.judged["validation"].labels[rows], classes=len(names))
    return {name: int(count) for name, count in zip(names, counts, strict=True) if count}


def _thin(values: np.ndarray) -> list[float]:
    """Return at most CURVE_POINTS values, spread evenly over the sorted ones."""
    count = min(CURVE_POINTS, len(values))
    return values[np.linspace(0, len(values) - 1, count).round().astype(int)].tolist()


def _means(figures: Any) -> dict[str, float]:
    """Return the mean of each figure."""
    rows = list(figures)
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def _scores(scored: Mapping[str, Any], name: str) -> Summary:
    """Return a linear model's scores by purpose and measure."""
    return {
        purpose: {measure: make_score(by[name]) for measure, by in table.items()}
        for purpose, table in scored.items()
    }


def _leads(contestants: Sequence[Contestant], scored: Mapping[str, Any]) -> Summary:
    """Return the lead of each contestant over each other one under the same condition."""
    pairs = [
        (one, other)
        for place, one in enumerate(contestants)
        for other in contestants[place + 1 :]
        if set(one.conditions) & set(other.conditions)
    ]
    return {
        purpose: [
            {
                "one": one.key,
                "other": other.key,
                "conditions": sorted(set(one.conditions) & set(other.conditions)),
                "leads": {m: lead(by[one.key], by[other.key]) for m, by in table.items()},
            }
            for one, other in pairs
            if {one.key, other.key} <= next(iter(table.values())).keys()
        ]
        for purpose, table in scored.items()
    }


def _by_length(material: Material, sound: Seeds) -> Summary:
    """Return the share of right rows by length, on the test rows if there are any."""
    purpose = "test" if "test" in material.judged else "validation"
    judged = material.judged[purpose]
    edges = np.unique(np.quantile(judged.lengths, np.linspace(0, 1, BINS + 1)).round().astype(int))
    places = np.clip(np.searchsorted(edges, judged.lengths, side="right") - 1, 0, len(edges) - 2)
    groups = [np.flatnonzero(places == place) for place in range(len(edges) - 1)]
    groups = [rows for rows in groups if len(rows)]
    right = {
        key: np.mean(
            [is_right(each.arrays[f"alone/{purpose}"], judged.labels) for each in seeds], axis=0
        )
        for key, seeds in sound.items()
    } | {"baseline": is_right(judged.baseline, judged.labels)}
    return {
        "purpose": purpose,
        "bins": [
            {
                "shortest": int(judged.lengths[rows].min()),
                "longest": int(judged.lengths[rows].max()),
                "rows": len(rows),
                "right": {key: float(share[rows].mean()) for key, share in right.items()},
            }
            for rows in groups
        ],
    }


def _verdict(
    material: Material,
    contestants: Sequence[Contestant],
    whole: Seeds,
    scored: Mapping[str, Any],
) -> verdict.Verdict:
    failed = {each.key: sum(seed.failed for seed in whole[each.key]) for each in contestants}
    reliable = [each for each in contestants if not failed[each.key]]
    sound = [each for each in contestants if failed[each.key] < len(whole[each.key])]
    measure = measure_of(material)
    table = {purpose: by[measure] for purpose, by in scored.items()}
    embedding = material.run.settings.network.embedding
    found = verdict.make_verdict(
        reliable or sound,
        table,
        embedding=embedding,
        measure=measure,
        cuts=[*map(str, material.cuts), ALL],
        rows={purpose: len(judged.ids) for purpose, judged in material.judged.items()},
    )
    left_out = "; it is left out of the choice" if reliable else ""
    found["reasons"] += [
        f"{failed[each.key]} of {len(whole[each.key])} fits of the {each.name} failed{left_out}."
        for each in contestants
        if failed[each.key]
    ]
    return found
