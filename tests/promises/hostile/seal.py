"""Makes the records of a version right again after its files were changed, as an attacker would."""

import hashlib
import json
from pathlib import Path

from models.versions import METADATA, TOKENIZER


def seal(folder: Path) -> None:
    """Write size and hash of each recorded file into the metadata; leave what is no JSON."""
    path = folder / METADATA
    try:
        content = json.loads(path.read_bytes())
        for name, record in content["files"].items():
            record.update(_record(folder / name))
        content["tokenizer_sha256"] = content["files"][TOKENIZER]["sha256"]
    except (ValueError, KeyError, TypeError, AttributeError, OSError, RecursionError):
        return
    path.write_text(json.dumps(content))


def _record(path: Path) -> dict[str, object]:
    data = path.read_bytes()
    return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
