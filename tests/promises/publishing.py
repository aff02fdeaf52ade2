"""Publishes what another version holds once more, as the trainer does at its end."""

from models.registry import Store
from models.versions import METADATA, Version


def publish_again(store: Store, version: Version) -> Version:
    """Publish the files of a version as the next one of a store."""
    metadata = version.metadata
    with store.staging(metadata.name) as folder:
        for path in sorted(version.path.rglob("*")):
            target = folder / path.relative_to(version.path)
            if path.is_dir():
                target.mkdir()
            else:
                target.write_bytes(path.read_bytes())
        (folder / METADATA).unlink()
        return store.publish(folder, metadata=metadata)
