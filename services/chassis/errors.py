"""Errors that a caller may see: one class for each gRPC code, one subclass for each reason.

    HemlineError
    ├── InvalidArgument       the request breaks a rule; never worth a retry
    ├── Unauthenticated       nobody we know
    ├── PermissionDenied      known caller, not allowed
    ├── NotFound              no such thing, or not the caller's to see
    ├── AlreadyExists         the name or the request_id is taken
    ├── FailedPrecondition    a fair request in the wrong state; retry only after changing the state
    ├── Aborted               lost a race; read again and retry
    ├── ResourceExhausted     too many calls; retry after what RetryInfo says
    ├── DeadlineExceeded      took longer than the caller would wait
    └── Unavailable           try again later, with backoff

Anything else that leaves a handler is a bug. The caller sees INTERNAL and nothing more.
"""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple


class FieldViolation(NamedTuple):
    """One field that breaks its rule."""

    field: str  # Path from the request, such as `movement.sku` or `lines[12].units`.
    description: str  # The rule, and what to send instead.


class RuleViolation(NamedTuple):
    """One rule that the present state breaks."""

    rule: str  # Stable identifier, UPPER_SNAKE_CASE.
    subject: str  # What breaks it, such as `regions/eu-west-1`.
    description: str  # How, and what to do about it.


class HemlineError(Exception):
    """Base of every error that may cross the wire."""

    reason: ClassVar[str] = "UNSPECIFIED"
    """Stable identifier in `google.rpc.ErrorInfo`, UPPER_SNAKE_CASE."""

    def __init__(self, message: str, **metadata: object) -> None:
        super().__init__(message)
        self.metadata = {key: str(value) for key, value in metadata.items()}


class InvalidArgument(HemlineError):
    """Carries the fields at fault. The message names the first, for people who read no details."""

    reason = "INVALID_REQUEST"

    def __init__(self, *violations: FieldViolation, **metadata: object) -> None:
        first = violations[0]
        more = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
        super().__init__(f"{first.field}: {first.description}{more}", **metadata)
        self.violations = violations


class Unauthenticated(HemlineError): ...


class PermissionDenied(HemlineError): ...


class NotFound(HemlineError): ...


class AlreadyExists(HemlineError): ...


class FailedPrecondition(HemlineError):
    """Carries the rules that the state breaks, where there is more to say than the reason."""

    def __init__(
        self, message: str, violations: Sequence[RuleViolation] = (), **metadata: object
    ) -> None:
        super().__init__(message, **metadata)
        self.violations = tuple(violations)


class Aborted(HemlineError): ...


class DeadlineExceeded(HemlineError): ...


class ResourceExhausted(HemlineError):
    retry_seconds: ClassVar[float] = 1.0
    """What `google.rpc.RetryInfo` advises to wait."""


class Unavailable(HemlineError):
    retry_seconds: ClassVar[float] = 1.0
    """What `google.rpc.RetryInfo` advises to wait."""


class RequestIdReused(AlreadyExists):
    """The same request_id with another payload. Every write may raise it."""

    reason = "REQUEST_ID_REUSED"

    def __init__(self, request_id: object) -> None:
        super().__init__(
            "request_id: already used for another request. Send a new UUID for a new request.",
            request_id=request_id,
        )
