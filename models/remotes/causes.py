"""Says in a few words why a library failed, without what must not be read by others."""

import os
import re

from models.json_files import shorten

_QUERY = re.compile(r"\?\S+")  # of an address; signatures stand there
_USER = re.compile(r"//[^/\s@]+@")
_SECRETS = re.compile(r"TOKEN|SECRET|PASSWORD|ACCESS_KEY", re.IGNORECASE)
_LONG_SECRET = 8  # characters; anything shorter may be a word of the message
_TOKEN = re.compile(r"hf_\w{6,}|Bearer \S+")


def describe_cause(error: BaseException) -> str:
    """Return type and first line of an error. Addresses lose queries; secrets become asterisks."""
    line = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    for name, value in os.environ.items():
        if _SECRETS.search(name) and len(value) >= _LONG_SECRET:
            line = line.replace(value, "***")
    for pattern, instead in ((_QUERY, "?…"), (_USER, "//***@"), (_TOKEN, "***")):
        line = pattern.sub(instead, line)
    return shorten(f"{type(error).__name__}: {line}" if line else type(error).__name__)
