"""Fits a contestant and measures it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

import keras
import numpy as np

from training.calibration.metrics import log_loss
from training.calibration.probabilities import Logits
from training.calibration.scaling import Calibrated
from training.comparison.candidates import Contestant
from training.comparison.cost import measure_cost
from training.comparison.gradients import choose_texts, measure_fading
from training.comparison.half_lives import measure_half_lives
from training.comparison.interruption import measure_flips
from training.comparison.material import Material
from training.comparison.records import Examined
from training.errors import Diverged
from training.fitting.course import Fitted
from training.fitting.observer import FitStep, Observer
from training.network.build import predict_logits
from training.pretrained.network import Pretrained
from training.recipe.classifier import TrainedClassifier
from training.recipe.learn import Learned, examples, fit_network
from training.run import Run
from training.settings import Cell
from training.tracking.progress import FitProgress
from training.tracking.tensorboard import Curves


@dataclass
class StepRecord(Observer):
    """Keeps the loss and the norm of the gradient of each step."""

    loss: list[float] = field(default_factory=list)
    norm: list[float] = field(default_factory=list)

    def add_step(self, step: FitStep) -> None:
        """Keep loss and norm of the step."""
        self.loss.append(step.loss)
        self.norm.append(step.norm)


def examine(
    material: Material,
    contestant: Contestant,
    *,
    start: Pretrained | None,
    seed: int,
    priced: bool,
) -> Examined:
    """Return the results of a contestant with one seed.

    Args:
        material: The inputs of all contestants.
        contestant: Its cell and width.
        start: The network that it starts from, if there is one.
        seed: Seed of weights, order and dropout.
        priced: Whether to measure its cost too.
    """
    keras.backend.clear_session()  # of the last contestant
    steps = StepRecord()
    shared = material.run.settings
    network = replace(shared.network, cell=contestant.cell, units=contestant.units)
    settings = replace(shared, seed=seed, network=network)
    # A stopped fit starts again, because its curves up to there are lost.
    run = replace(material.run, settings=settings, pretrained=start, resume=False)
    run = replace(
        run,
        observers=lambda stage: [
            FitProgress(),
            Curves(run.curves_folder(stage), resume=run.resume),
            steps,
        ],
    )
    stage = f"{contestant.key}-{seed}"
    try:
        fitted = fit_network(run, material.lesson, None, None, stage=stage)
    except Diverged as error:
        run.checkpoint(stage).delete()
        return Examined(contestant=contestant.key, seed=seed, record={"failure": str(error)})
    examined = _examine(material, run, contestant, fitted, steps=steps, priced=priced)
    run.checkpoint(stage).delete()
    return examined


def _examine(
    material: Material,
    run: Run,
    contestant: Contestant,
    fitted: Fitted,
    *,
    steps: StepRecord,
    priced: bool,
) -> Examined:
    logits = {
        purpose: predict_logits(fitted.network, judged.ids)
        for purpose, judged in material.judged.items()
    }
    alone = _calibrate(material, logits["validation"], joined=False)
    course = fitted.course
    record = {
        "failure": None,
        "epochs": course.history,
        "best_epoch": course.best_epoch,
        "steps": len(steps.loss),
        "tokens": examples(run, material.lesson).tokens * course.epoch,
        "seconds": course.seconds,
        "cpu_seconds": course.cpu_seconds,
        "parameters": fitted.network.count_params(),
        "log_loss": _log_losses(material, alone, logits),
        "flips": _flips(material, fitted.network),
        "cost": _price(material, run, fitted, alone) if priced else None,
    }
    arrays = {"loss": np.array(steps.loss, np.float32), "norm": np.array(steps.norm, np.float32)}
    arrays |= _decisions(material, fitted.network, alone, logits)
    arrays |= _memory(material, fitted.network, cell=contestant.cell)
    return Examined(contestant=contestant.key, seed=run.settings.seed, record=record, arrays=arrays)


def _log_losses(
    material: Material, alone: Calibrated, logits: Mapping[str, Logits]
) -> dict[str, float]:
    """Return the log loss of the network by itself, by purpose."""
    return {
        purpose: log_loss(_probabilities(alone, [logits[purpose]], material), judged.labels)
        for purpose, judged in material.judged.items()
    }


def _flips(material: Material, network: keras.Model) -> list[float]:
    rows, seed = material.judged["validation"].drawn, material.run.settings.seed
    return measure_flips(network, rows, neutral=material.neutral, seed=seed)


def _decisions(
    material: Material, network: keras.Model, alone: Calibrated, logits: Mapping[str, Logits]
) -> dict[str, np.ndarray]:
    """Return the decisions of the network alone, with n-grams, and after each cut."""
    joined = _calibrate(material, logits["validation"], joined=True)
    found = {}
    for purpose, judged in material.judged.items():
        halves = [logits[purpose], judged.ngrams]
        found[f"alone/{purpose}"] = _choose_labels(alone, halves[:1], material)
        found[f"joined/{purpose}"] = _choose_labels(joined, halves, material)
    rows = material.judged["validation"].ids
    for cut in material.cuts:
        begun = predict_logits(network, [row[:cut] for row in rows])
        found[f"cut/{cut}"] = _choose_labels(alone, [begun], material)
    return found


def _memory(material: Material, network: keras.Model, *, cell: Cell) -> dict[str, np.ndarray]:
    """Return the fading of gradients in validation texts, and the half-lives of the units."""
    rows = material.judged["validation"].drawn
    fading = measure_fading(network, choose_texts(rows))
    found = {"fading/verdict": fading.verdict, "fading/state": fading.state}
    half_lives = measure_half_lives(network, rows, cell=cell)
    return found if half_lives is None else found | {"half_lives": half_lives}


def _calibrate(material: Material, logits: Logits, *, joined: bool) -> Calibrated:
    """Calibrate the network, alone or joined to the n-grams, on the validation rows."""
    ngrams = material.judged["validation"].ngrams
    return material.run.calibrate([logits, ngrams] if joined else [logits])


def _probabilities(found: Calibrated, halves: list[Logits], material: Material) -> np.ndarray:
    return found.scaling.probabilities(halves, task=material.run.prepared.data.task)


def _choose_labels(found: Calibrated, halves: list[Logits], material: Material) -> np.ndarray:
    return found.rule.choose(_probabilities(found, halves, material))


def _price(material: Material, run: Run, fitted: Fitted, alone: Calibrated) -> dict[str, object]:
    classifier = TrainedClassifier(
        shape=run.settings.network,
        network=fitted.network,
        ngrams=None,
        scaling=alone.scaling,
        rule=alone.rule,
    )
    longest = max(map(len, run.prepared.ids["validation"]))
    cuts = [*material.cuts, longest]
    learned = Learned(classifier, fitted)
    return asdict(measure_cost(learned, run.prepared, settings=run.settings, cuts=cuts))
