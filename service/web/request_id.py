"""The id of a request: that of the client, or a new one."""

import random
import re

from starlette.requests import HTTPConnection
from starlette.types import Scope

from service.web.request_body import find_header

HEADER = b"x-request-id"
_SAFE = re.compile(rb"[\w.:/+=@-]{1,128}", re.ASCII)
_PLACE = "gatewise.request_id"  # in the scope of a request


def assign_id(scope: Scope) -> bytes:
    """Return the id of a request, and note it: the client's if it is fit to be repeated."""
    given = find_header(scope, HEADER)
    found = given if given and _SAFE.fullmatch(given) else b"%032x" % random.getrandbits(128)
    scope[_PLACE] = found
    return found


def id_of(connection: HTTPConnection) -> bytes:
    """Return the id of a request or of a WebSocket."""
    return id_in(connection.scope)


def id_in(scope: Scope) -> bytes:
    """Return the id of a request, which it is given where it has none yet."""
    found: bytes | None = scope.get(_PLACE)
    return assign_id(scope) if found is None else found
