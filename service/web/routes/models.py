"""`GET /models`: what can be asked."""

from fastapi import APIRouter

from service.errors import NotFound, documented
from service.web.schemas import ModelInfo, ModelList
from service.web.state import StateDep

router = APIRouter()


@router.get("/models", response_model_exclude_none=True)
async def list_models(state: StateDep) -> ModelList:
    """List the models with their versions."""
    return ModelList(models=state.catalog.describe())


@router.get("/models/{name}", responses=documented(404, 422), response_model_exclude_none=True)
async def show_model(name: str, state: StateDep) -> ModelInfo:
    """Show one model with its versions."""
    models = {model.name: model for model in state.catalog.describe()}
    if name not in models:
        there_are = ", ".join(models) or "none"
        raise NotFound(f"no model {name!r}; there are: {there_are}")
    return models[name]
