"""Errors that a caller is told of. They know no transport: `web/errors.py` gives them statuses.

ServiceError
├── Malformed               the request is not JSON
├── BadState                the state of a stream is not as it was given
├── Unauthorized            no API key, or none that is valid
├── Forbidden               the API key does not open this
├── NotFound                no such model or version
├── ReplayRequired          the stream must be sent again from its start
├── Unfit
│   ├── NotStreamable       the version reads whole texts only
│   ├── NoWeights           the version does not say where its weights are
│   └── NoRule              the version has no rule for an early exit
├── Conflict                the store does not allow it as it is
├── TooSlow                 the request does not come
├── TooLarge                request, text or list over its limit
├── UnsupportedMediaType    the request is not declared as JSON
├── Invalid                 JSON, but not a valid request
├── Overloaded              too much to do to answer in time
├── RateLimited             the caller has had as much as it may for now
├── ClientGone              nobody waits for the answer
├── Unavailable             nothing is loaded that could answer
│   └── VersionFailed       the version that is asked for cannot be loaded, others may be
└── DeadlinePassed          not answered in time
    └── NeverBegun          there was no time left when its work was to begin
"""


class ServiceError(Exception):
    """An error with a type that callers can act on.

    Args:
        message: What was wrong, and what would be right.
        field: The part of the request that is to blame; None if it is none.
        retry_after: Seconds after which another try makes sense; None if waiting does not help.
    """

    type = "internal"

    def __init__(
        self, message: str, *, field: str | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.retry_after = retry_after


class Malformed(ServiceError):
    """The request is not JSON."""

    type = "malformed"


class BadState(ServiceError):
    """The state of a stream is not as it was given."""

    type = "bad_state"

    def __init__(self) -> None:
        message = "this is no state that was given here; send the text from its start, state null"
        super().__init__(message, field="state")


class Unauthorized(ServiceError):
    """No API key is shown, or none that is valid."""

    type = "unauthorized"


class Forbidden(ServiceError):
    """The API key does not open this."""

    type = "forbidden"


class NotFound(ServiceError):
    """No such model or version."""

    type = "not_found"


class ReplayRequired(ServiceError):
    """The stream must be sent again from its start."""

    type = "replay_required"

    def __init__(self, why: str) -> None:
        super().__init__(f"{why}; send the text from its start, state null", field="state")


class Unfit(ServiceError):
    """The version lacks what is asked of it.

    Args:
        reference: The version as name:number.
    """

    lack: str
    asked: str | None = None

    def __init__(self, reference: str) -> None:
        super().__init__(f"{reference} {self.lack}", field=self.asked)


class NotStreamable(Unfit):
    """The version reads whole texts only."""

    type, lack = "not_streamable", "reads whole texts only"


class NoWeights(Unfit):
    """The version does not say where its weights are."""

    type, asked = "no_weights", "gates"
    lack = "is of a format without gates; train it again"


class NoRule(Unfit):
    """The version has no rule for an early exit."""

    type, asked = "no_rule", "stop_at"
    lack = "has no rule to stop by; train it again"


class Conflict(ServiceError):
    """The store does not allow it as it is."""

    type = "conflict"


class TooSlow(ServiceError):
    """The request does not come."""

    type = "too_slow"


class TooLarge(ServiceError):
    """Request, text or list over its limit."""

    type = "too_large"


class UnsupportedMediaType(ServiceError):
    """The request is not declared as JSON."""

    type = "unsupported_media_type"


class Invalid(ServiceError):
    """JSON, but not a valid request."""

    type = "invalid"


class Overloaded(ServiceError):
    """There is too much to do to answer in time."""

    type = "overloaded"


class RateLimited(ServiceError):
    """The caller has had as much as it may for now."""

    type = "rate_limited"


class ClientGone(ServiceError):
    """Nobody waits for the answer."""

    type = "client_gone"


class Unavailable(ServiceError):
    """Nothing is loaded that could answer."""

    type = "unavailable"


class VersionFailed(Unavailable):
    """The version that is asked for cannot be loaded, here or elsewhere. Others may answer."""

    type = "version_failed"


class DeadlinePassed(ServiceError):
    """Not answered in time."""

    type = "deadline_passed"


class NeverBegun(DeadlinePassed):
    """There was no time left when its work was to begin."""
