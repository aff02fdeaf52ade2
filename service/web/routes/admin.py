"""`/admin`: moves traffic between versions, as `python -m models` does, for keys that open it."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Path, Request

from models import overview, steering
from models.errors import GatewiseError, ModelNotFound
from models.installation import command
from models.names import LABEL_PATTERN
from models.version_labels import STABLE
from service.errors import Conflict, Forbidden, Invalid, NotFound
from service.web.access.guard import Access, access_of
from service.web.errors import documented
from service.web.parsing import document_body, read_body
from service.web.schemas import GiveLabelRequest, ModelLabels, PruneRequest
from service.web.state import StateDep

_log = logging.getLogger(__name__)
_READING: dict[int | str, dict[str, Any]] = documented(401, 403, 404, 409, 422, 503)
_WRITING: dict[int | str, dict[str, Any]] = documented(
    400, 401, 403, 404, 408, 409, 413, 415, 422, 503
)

Found = TypeVar("Found")
# FastAPI would not answer in the documented form.
_Label = Annotated[str, Path(description="Any name.", json_schema_extra={"pattern": LABEL_PATTERN})]


def _require_access(request: Request) -> Access:
    """Return what the caller may do.

    Raises:
        Forbidden: No keys are asked for, so nobody is known to be an operator. A page in a browser
            on this machine could ask too.
    """
    access = access_of(request)
    if access is None:
        raise Forbidden("this takes an API key of the scope admin: start with GATEWISE_KEYS")
    return access


AccessDep = Annotated[Access, Depends(_require_access)]
router = APIRouter(prefix="/admin/models")


@router.get("", responses=_READING)
async def list_versions(state: StateDep, _access: AccessDep) -> list[overview.Row]:
    """List all versions of the store with their labels, loaded or not."""
    return await _call(lambda: overview.list_versions(state.store))


@router.get("/{reference}", responses=_READING)
async def show_version(reference: str, state: StateDep, _access: AccessDep) -> overview.Row:
    """Show the version that name, name:version or name:label means, with its history of labels."""
    return await _call(lambda: overview.describe(state.store, state.store.resolve(reference)))


@router.post("/{reference}/verify", responses=_READING)
async def verify(reference: str, state: StateDep, _access: AccessDep) -> dict[str, str]:
    """Compare the files of a version with their hashes. 409 says which is damaged."""
    version = await _call(lambda: state.store.resolve(reference))
    await _call(version.verify)
    return {"verified": version.reference}


@router.put(
    "/{name}/labels/{label}",
    responses=_WRITING,
    openapi_extra={"requestBody": document_body(GiveLabelRequest)},
)
async def give_label(
    name: str, label: _Label, request: Request, state: StateDep, access: AccessDep
) -> ModelLabels:
    """Give a label to a version, and a share or a shadow of the traffic that names no label."""
    asked = await read_body(request, GiveLabelRequest)

    def give() -> str:
        version = state.store.resolve(f"{name}:{asked.version}")
        steering.give_label(state.store, version, label, share=asked.share, shadow=asked.shadow)
        return f"{version.reference} is {label}"

    return await _steer(state, access, name, give)


@router.delete("/{name}/labels/{label}", responses=_WRITING)
async def take_label(name: str, label: _Label, state: StateDep, access: AccessDep) -> ModelLabels:
    """Take a label away."""

    def take() -> str:
        return f"{name}:{steering.take_label(state.store, name, label)} is not {label} any more"

    return await _steer(state, access, name, take)


@router.post("/{name}/labels/{label}/rollback", responses=_WRITING)
async def roll_back(name: str, label: _Label, state: StateDep, access: AccessDep) -> ModelLabels:
    """Give a label back to the version that had it before."""

    def go_back() -> str:
        before, after = steering.roll_back(state.store, name, label=label)
        return f"{name}:{after} is {label} again, in place of {before}"

    return await _steer(state, access, name, go_back)


@router.post("/{name}/promote", responses=_WRITING)
async def promote(name: str, state: StateDep, access: AccessDep) -> ModelLabels:
    """Make the canary the stable version."""
    return await _steer(
        state, access, name, lambda: f"{name}:{steering.promote(state.store, name)} is {STABLE}"
    )


@router.post(
    "/{name}/prune",
    responses=_WRITING,
    openapi_extra={"requestBody": document_body(PruneRequest)},
)
async def prune(
    name: str, request: Request, state: StateDep, access: AccessDep
) -> dict[str, list[int]]:
    """Delete old versions. Those with a label stay, and the one that was stable before."""
    asked = await read_body(request, PruneRequest)
    deleted = await _call(lambda: state.store.prune(name, keep=asked.keep))
    _log.info("deleted versions of %s: %s; asked by %s", name, deleted, access.holder)
    await asyncio.to_thread(state.catalog.look)
    return {"deleted": deleted}


async def _steer(
    state: StateDep, access: Access, name: str, change: Callable[[], str]
) -> ModelLabels:
    """Change labels, follow at once, and return what they are. The log says who asked for it."""
    _log.info("%s; asked by %s", await _call(change), access.holder)
    await asyncio.to_thread(state.catalog.refresh, name)
    labels = await _call(lambda: state.store.labels(name))
    return ModelLabels(
        model=name, labels=labels.versions, shares=labels.shares, shadows=labels.shadows
    )


async def _call(work: Callable[[], Found]) -> Found:
    """Do work on the store in a thread; its errors become those of a caller."""
    with _explained():
        return await asyncio.to_thread(work)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except ModelNotFound as error:
        raise NotFound(str(error)) from None
    except GatewiseError as error:
        raise Conflict(str(error)) from None
    except ValueError as error:
        raise Invalid(str(error)) from None
    except OSError as error:
        raise Conflict(
            f"the store cannot be used for this: {error.strerror}; "
            f"{command('models')} does the same where it can be written"
        ) from error
