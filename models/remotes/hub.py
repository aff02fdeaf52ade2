"""Versions at the Hugging Face Hub, or at what HF_ENDPOINT names: `hf://owner/reviews`.

A repository holds one model. Each push is one commit, so a version is there whole or not at all;
version 3 has the tag `v3`, and a label is a tag too. `main` is what was pushed last. The token is
the one that huggingface_hub finds.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from models.errors import ExtraMissing, RemoteError, RemoteRefusal, RemoteSilent, VersionCorrupt
from models.installation import install_command
from models.limits import LARGEST_METADATA
from models.metadata import Metadata
from models.names import VERSION_NUMBER
from models.regular_files import read_inside
from models.remotes import card
from models.remotes.address import Address
from models.remotes.causes import describe_cause
from models.remotes.place import (
    CHUNK_BYTES,
    SILENCE_SECONDS,
    Missing,
    Observer,
    Upload,
    join_small,
)
from models.versions import CARD, DIGEST, METADATA

_TOO_MANY = (408, 429)  # statuses that say when to come back
_BATCH_BYTES = 8 << 20  # of files that are sent before they are counted
_BRANCH = "main"
_VERSION_TAG = re.compile(rf"v{VERSION_NUMBER.pattern}")


class NoRepository(RemoteRefusal):
    """There is no such repository, or it is hidden from this account."""


@dataclass(frozen=True)
class HubCommit:
    """One version: see `Found`.

    Args:
        library: The library that speaks to the Hub.
        repository: Owner and name.
        commit: The commit.
    """

    library: Any
    repository: str
    commit: str

    @property
    def where(self) -> str:
        """Its address."""
        return f"hf://{self.repository}@{self.commit[:12]}"

    def read(self, name: str, *, limit: int) -> bytes:
        """Return a small file."""
        chunks = self.stream(name, start=0, size=limit + 1)
        return join_small(chunks, limit=limit, where=f"{self.where}: {name}")

    def stream(self, name: str, *, start: int, size: int) -> Iterator[bytes]:
        """Yield the bytes of a file from `start` on, at most up to `size`."""
        hub = self.library
        url = hub.hf_hub_url(self.repository, name, revision=self.commit)
        headers = hub.utils.build_hf_headers() | {"Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        with _asking(hub, f"{self.where}: {name}"), ExitStack() as stack:
            response = stack.enter_context(
                hub.utils.http_stream_backoff(
                    "GET",
                    url,
                    headers=headers,
                    timeout=SILENCE_SECONDS,
                    retry_on_exceptions=(),  # which would come from within the block too
                    retry_on_status_codes=_TOO_MANY,
                )
            )
            if response.status_code == 416:  # the file ends before
                return
            hub.utils.hf_raise_for_status(response)
            position = start if response.status_code == 206 else 0  # which knows no ranges
            for chunk in response.iter_raw(CHUNK_BYTES):
                wanted = chunk[max(0, start - position) : max(0, size - position)]
                position += len(chunk)
                if wanted:
                    yield wanted
                if position >= size:
                    return


class HubRepository:
    """All versions of a model: see `Place`.

    Args:
        address: The address of the repository.
        license: Identifier of the licence, for the card.
        languages: Codes of the languages, for the card.

    Raises:
        ExtraMissing: huggingface_hub is not installed.
    """

    def __init__(
        self, address: Address, *, license: str | None = None, languages: tuple[str, ...] = ()
    ) -> None:
        self._library = _import_library()
        _set_up(self._library)
        self._repository = address.path
        self._model = address.model
        self._license = license
        self._languages = languages

    @cached_property
    def _api(self) -> Any:
        return self._library.HfApi()

    def find(self, which: str | None) -> HubCommit:
        """Return the commit of a version number, label, branch, tag or commit; of main if None."""
        revision = f"v{which}" if which and VERSION_NUMBER.fullmatch(which) else which
        with _asking(self._library, self._model + (f"@{revision}" if revision else "")):
            info = self._api.repo_info(self._repository, revision=revision, timeout=SILENCE_SECONDS)
        if not info.sha:
            raise RemoteSilent(f"{self._model}: the Hub names no commit")
        return HubCommit(self._library, self._repository, info.sha)

    def publish(self, upload: Upload, *, label: str | None, observer: Observer) -> bool:
        """Commit all files at once, then give tags to the commit."""
        with _asking(self._library, self._model):
            tags = self._read_tags(label)
            tag = f"v{upload.metadata.version}"
            fresh = tag not in tags
            if fresh:
                tags[tag] = self._commit(upload, observer=observer)
                self._api.create_tag(self._repository, tag=tag, revision=tags[tag])
            elif not self._holds(tags[tag], upload):
                raise RemoteRefusal(
                    f"{self._model}@{upload.metadata.version} is another version, and none is "
                    f"overwritten; push it under another number, such as {self._free_number(tags)}"
                )
            if label is not None and tags.get(label) != tags[tag]:
                if label in tags:
                    self._api.delete_tag(self._repository, tag=label)
                self._api.create_tag(self._repository, tag=label, revision=tags[tag])
        return fresh

    def _read_tags(self, label: str | None) -> dict[str, str]:
        """Return the commit of each tag; a repository that is not there is made, a private one.

        Raises:
            RemoteRefusal: The label cannot be a tag.
        """
        if label == _BRANCH or (label and _VERSION_TAG.fullmatch(label)):
            raise RemoteRefusal(f"{self._model}: {label!r} is no label at the Hub; give another")
        try:
            with _asking(self._library, self._model):
                refs = self._api.list_repo_refs(self._repository)
        except NoRepository:
            self._api.create_repo(self._repository, private=True)
            return {}
        if label in {ref.name for ref in refs.branches}:
            raise RemoteRefusal(f"{self._model}: {label!r} is a branch there; give another label")
        return {ref.name: ref.target_commit for ref in refs.tags}

    def _free_number(self, tags: dict[str, str]) -> int:
        numbers = [int(tag[1:]) for tag in tags if _VERSION_TAG.fullmatch(tag)]
        return max(numbers, default=0) + 1

    def _commit(self, upload: Upload, *, observer: Observer) -> str:
        """Return a commit that holds the version."""
        head = self.find(_BRANCH).commit
        if self._holds(head, upload):  # an earlier push ended before the tag
            observer.advance(upload.size)
            return head
        hub = self._library
        additions = [
            hub.CommitOperationAdd(path_in_repo=name, path_or_fileobj=str(upload.folder / name))
            for name in upload.metadata.files
        ]
        self._send(additions, observer=observer)
        others = {
            METADATA: upload.manifest,
            DIGEST: upload.digest,
            card.CARD_NAME: self._write_card(upload).encode(),
        }
        additions += [
            hub.CommitOperationAdd(path_in_repo=name, path_or_fileobj=content)
            for name, content in others.items()
        ]
        deletions = [hub.CommitOperationDelete(name) for name in self._stale(head, upload)]
        done = self._api.create_commit(
            self._repository,
            operations=[*additions, *deletions],
            commit_message=f"Push version {upload.metadata.version} of {upload.metadata.name}",
            parent_commit=head,
        )
        return str(done.oid)

    def _write_card(self, upload: Upload) -> str:
        return write_card(
            upload.metadata,
            folder=upload.folder,
            license=self._license,
            languages=self._languages,
        )

    def _send(self, additions: list[Any], *, observer: Observer) -> None:
        """Send the large files; those that are there already are not sent again."""
        batch: list[Any] = []
        for addition in additions:
            batch.append(addition)
            if sum(each.upload_info.size for each in batch) >= _BATCH_BYTES:
                self._send_batch(batch, observer=observer)
                batch = []
        self._send_batch(batch, observer=observer)

    def _send_batch(self, batch: list[Any], *, observer: Observer) -> None:
        if batch:
            self._api.preupload_lfs_files(self._repository, batch, free_memory=False)
            observer.advance(sum(each.upload_info.size for each in batch))

    def _stale(self, head: str, upload: Upload) -> list[str]:
        """Return the files of the version before that this one has not; others are the owner's."""
        try:
            commit = HubCommit(self._library, self._repository, head)
            before = Metadata.parse(commit.read(METADATA, limit=LARGEST_METADATA), where="")
        except (RemoteError, VersionCorrupt):
            return []
        listed = set(self._api.list_repo_files(self._repository, revision=head))
        return sorted(listed & before.files.keys() - upload.metadata.files.keys())

    def _holds(self, commit: str, upload: Upload) -> bool:
        """Whether a commit has exactly this version, with all of its files."""
        found = HubCommit(self._library, self._repository, commit)
        try:
            return found.read(METADATA, limit=LARGEST_METADATA) == upload.manifest
        except Missing:
            return False


def write_card(
    metadata: Metadata, *, folder: Path, license: str | None, languages: tuple[str, ...]
) -> str:
    """Return the model card of a version: the facts that the Hub reads, and its own card as text.

    Args:
        metadata: Metadata of the version.
        folder: Its folder.
        license: Identifier of the licence; left out if None.
        languages: Codes of the languages; left out if there are none.

    Raises:
        ExtraMissing: huggingface_hub is not installed.
    """
    library = _import_library()
    facts = card.describe(metadata, license=license, languages=languages)
    results = [library.EvalResult(**each) for each in card.list_results(metadata)]
    front = library.ModelCardData(**facts, eval_results=results or None).to_yaml()
    text = f"# {metadata.name}\n"
    if CARD in metadata.files:
        text = read_inside(folder, CARD, limit=metadata.files[CARD].size).decode(errors="replace")
    return f"---\n{front}\n---\n\n{card.move_links(text)}"


def _import_library() -> Any:
    try:
        import huggingface_hub
    except ImportError as error:
        raise ExtraMissing(
            f"hf:// needs huggingface_hub: {install_command('hub')} ({error})"
        ) from error
    return huggingface_hub


def _set_up(library: Any) -> None:
    """Have the library say nothing by itself, and wait for no more than a while."""
    from huggingface_hub.utils._http import default_client_factory
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # one line says what was wrong

    def make_client() -> Any:
        client = default_client_factory()
        client.timeout = SILENCE_SECONDS  # it has none, so a place that is silent would hold us up
        return client

    library.set_client_factory(make_client)


@contextmanager
def _asking(library: Any, where: str) -> Iterator[None]:
    """Translate what the library raises."""
    try:
        yield
    except (RemoteError, VersionCorrupt):
        raise
    except Exception as error:  # the network raises anything
        raise _translate(error, library=library, where=where) from error


def _translate(error: Exception, *, library: Any, where: str) -> RemoteError:
    errors, endpoint = library.errors, library.constants.ENDPOINT
    if isinstance(error, RuntimeError) and isinstance(error.__cause__, Exception):
        error = error.__cause__  # it tells only which file was being uploaded
    hidden = f"no such model at {endpoint}, or HF_TOKEN is wrong or absent"
    causes: dict[type[Exception], tuple[type[RemoteError], str]] = {  # special ones first
        errors.GatedRepoError: (RemoteRefusal, "this account has no access; see HF_TOKEN"),
        errors.DisabledRepoError: (RemoteRefusal, "the Hub has disabled it"),
        errors.RevisionNotFoundError: (RemoteRefusal, "no such revision"),
        errors.EntryNotFoundError: (Missing, "no such file"),
        errors.RepositoryNotFoundError: (NoRepository, hidden),
        errors.HFValidationError: (RemoteRefusal, describe_cause(error)),
    }
    for cause, (kind, line) in causes.items():
        if isinstance(error, cause):
            return kind(f"{where}: {line}")
    if isinstance(error, errors.HfHubHTTPError):
        return _translate_status(error.response.status_code, where=where)
    return RemoteSilent(f"{where}: no answer from {endpoint} ({describe_cause(error)})")


def _translate_status(status: int, *, where: str) -> RemoteError:
    if status in (401, 403):
        return RemoteRefusal(f"{where}: refused with status {status}; see HF_TOKEN")
    if status in (409, 412):
        return RemoteRefusal(f"{where}: another push came between; push again")
    return RemoteSilent(f"{where}: the answer has status {status}")
