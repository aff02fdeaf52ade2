"""How trials stand, as metrics."""

from collections.abc import Iterator

from models.version_labels import Verdict
from service.answering.catalog import Catalog
from service.metrics import RolloutSample
from service.rollout.rollouts import Rollouts, Standing


def sample_rollouts(catalog: Catalog, rollouts: Rollouts) -> Iterator[RolloutSample]:
    """Yield when earlier trials ended, and how each stands that goes on."""
    for model, loaded in catalog.loaded.items():
        for verdict in loaded.verdicts:
            yield _sample_verdict(model, verdict)
    for standing in rollouts.standings:
        yield _sample_trial(standing)


def _sample_trial(standing: Standing) -> RolloutSample:
    trial, found = standing.trial, standing.evidence
    figures = {
        "gatewise_rollout_requests": {"compared": found.requests, "dropped": found.dropped},
        "gatewise_rollout_texts": {
            "same": found.texts - found.texts_flipped,
            "flipped": found.texts_flipped,
        },
        "gatewise_rollout_failures": {"canary": found.canary_failed, "stable": found.stable_failed},
        "gatewise_rollout_model_seconds": {
            "canary": found.canary_model_seconds,
            "stable": found.stable_model_seconds,
        },
        "gatewise_rollout_answers": {
            "canary": found.canary_answers,
            "stable": found.stable_answers,
        },
        "gatewise_rollout_answer_seconds": {
            "canary": found.canary_answer_seconds,
            "stable": found.stable_answer_seconds,
        },
        "gatewise_rollout_flip_share": {"tolerated": standing.tolerated},
    }
    if found.flip_share is not None and found.score_shift is not None:
        figures["gatewise_rollout_flip_share"]["found"] = found.flip_share
        figures["gatewise_rollout_score_shift"] = {"foremost": found.score_shift}
    if standing.verdict is not None:
        figures |= _ended(standing.verdict)
    versions = (trial.canary.metadata.version, trial.stable.metadata.version)
    return RolloutSample(trial.model, trial.label, *versions, figures)


def _sample_verdict(model: str, verdict: Verdict) -> RolloutSample:
    return RolloutSample(model, verdict.label, verdict.version, verdict.stable, _ended(verdict))


def _ended(verdict: Verdict) -> dict[str, dict[str, float]]:
    at = verdict.at.timestamp()
    return {"gatewise_rollout_verdict_timestamp_seconds": {verdict.outcome: at}}
