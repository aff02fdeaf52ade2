"""`GET /models`: what can be asked."""

from typing import Annotated

from fastapi import APIRouter, Path

from models.cells import CELLS
from models.metadata import Metadata
from models.names import LONGEST_REFERENCE, Which, split_reference, suggest
from models.version_labels import Verdict
from service.answering.entry import Entry
from service.errors import Invalid, NotFound
from service.rollout.rollouts import Standing
from service.web.errors import documented
from service.web.schemas import REFERENCE_PATTERN, ModelInfo, ModelList, RolloutInfo, VersionInfo
from service.web.state import ServiceState, StateDep

router = APIRouter()


@router.get("/models", response_model_exclude_none=True)
async def list_models(state: StateDep) -> ModelList:
    """List the models with their versions."""
    return ModelList(models=_list_models(state), awaited=state.catalog.awaited)


# FastAPI would not answer in the documented form.
_Name = Annotated[
    str,
    Path(
        description="Name, name:version or name:label.",
        json_schema_extra={"maxLength": LONGEST_REFERENCE, "pattern": REFERENCE_PATTERN},
    ),
]


@router.get("/models/{name}", responses=documented(404, 422), response_model_exclude_none=True)
async def show_model(name: _Name, state: StateDep) -> ModelInfo:
    """Show one model with its versions, or the one that `name:version` or `name:label` means."""
    if len(name) > LONGEST_REFERENCE:
        raise Invalid(f"a name has at most {LONGEST_REFERENCE} characters", field="name")
    models = {model.name: model for model in _list_models(state)}
    try:
        name, which = split_reference(name)
    except ValueError as error:
        raise Invalid(str(error), field="name") from None
    if name not in models:
        there_are = ", ".join(models) or "none"
        raise NotFound(f"no model {name!r}; there are: {there_are}{suggest(name, among=models)}")
    return models[name] if which is None else _only(models[name], which)


def _only(model: ModelInfo, which: Which) -> ModelInfo:
    labels = model.version_labels or {}
    number = labels.get(which) if isinstance(which, str) else which
    versions = [version for version in model.versions if version.version == number]
    if not versions:
        there_are = ", ".join(map(str, [*(each.version for each in model.versions), *labels]))
        raise NotFound(f"no version {which} of {model.name!r} is loaded; there are: {there_are}")
    return model.model_copy(update={"versions": versions})


def _list_models(state: ServiceState) -> list[ModelInfo]:
    """Return every model with its versions and their state."""
    catalog = state.catalog
    standings = state.rollouts.standings
    return [
        ModelInfo(
            name=name,
            default=name == catalog.default,
            version_labels=model.labels or None,
            rollouts=[
                *(_show_trial(each) for each in standings if each.trial.model == name),
                *(_show_verdict(each) for each in reversed(model.verdicts)),
            ]
            or None,
            versions=[_version_info(number, entry) for number, entry in model.entries.items()],
        )
        for name, model in catalog.loaded.items()
    ]


def _show_trial(standing: Standing) -> RolloutInfo:
    """Return how a trial stands."""
    trial = standing.trial
    if standing.verdict is not None:
        info = _show_verdict(standing.verdict)
    else:
        info = RolloutInfo(
            label=trial.label,
            version=trial.canary.metadata.version,
            stable=trial.stable.metadata.version,
            verdict=standing.judgement.decision,
            why=standing.judgement.why,
            figures=standing.evidence.figures() | {"tolerated": round(standing.tolerated, 4)},
        )
    return info.model_copy(update={"shadow" if trial.shadow else "share": trial.part})


def _show_verdict(verdict: Verdict) -> RolloutInfo:
    return RolloutInfo(
        label=verdict.label,
        version=verdict.version,
        stable=verdict.stable,
        verdict=verdict.outcome,
        why=verdict.why,
        at=verdict.at.isoformat(timespec="seconds"),
        figures=verdict.figures,
    )


def _version_info(number: int, entry: Entry) -> VersionInfo:
    if entry.classifier is None:
        return VersionInfo(version=number, state="failed", reason=entry.reason)
    metadata = entry.classifier.metadata
    return VersionInfo(
        version=number,
        state="ready",
        engine=entry.classifier.runner.engine.name,
        task=metadata.task,
        labels=list(metadata.labels),
        thresholds=_thresholds(metadata),
        cell=metadata.architecture.cell,
        parameters=metadata.architecture.parameters,
        streamable=metadata.streamable,
        gates=list(CELLS[metadata.architecture.cell].gates) if metadata.weights else [],
        normalization=entry.classifier.normalization,
        created=metadata.created.isoformat(),
        metrics=metadata.metrics,
        data=metadata.data.model_dump(mode="json"),
    )


def _thresholds(metadata: Metadata) -> dict[str, float] | None:
    if metadata.thresholds is None:
        return None
    return dict(zip(metadata.labels, metadata.thresholds, strict=True))
