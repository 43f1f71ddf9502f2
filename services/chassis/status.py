"""Errors to `google.rpc.Status`: code, ErrorInfo, and the detail that helps with that code."""

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc import code_pb2, error_details_pb2, status_pb2

from services.chassis import errors

DOMAIN = "hemline.example"

CODES: dict[type[errors.HemlineError], int] = {
    errors.InvalidArgument: code_pb2.INVALID_ARGUMENT,
    errors.Unauthenticated: code_pb2.UNAUTHENTICATED,
    errors.PermissionDenied: code_pb2.PERMISSION_DENIED,
    errors.NotFound: code_pb2.NOT_FOUND,
    errors.AlreadyExists: code_pb2.ALREADY_EXISTS,
    errors.FailedPrecondition: code_pb2.FAILED_PRECONDITION,
    errors.Aborted: code_pb2.ABORTED,
    errors.ResourceExhausted: code_pb2.RESOURCE_EXHAUSTED,
    errors.DeadlineExceeded: code_pb2.DEADLINE_EXCEEDED,
    errors.Unavailable: code_pb2.UNAVAILABLE,
}


def code_of(error: type[errors.HemlineError]) -> int:
    """Returns the gRPC code of an error class: that of its nearest listed ancestor."""
    return next((CODES[base] for base in error.__mro__ if base in CODES), code_pb2.UNKNOWN)


def to_status(error: errors.HemlineError) -> status_pb2.Status:
    """Translates ``error``. Its message and metadata cross the wire as they are."""
    status = status_pb2.Status(code=code_of(type(error)), message=str(error))
    status.details.add().Pack(
        error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.metadata),
        # The edges' configuration holds these bytes: the same error must give the same ones.
        deterministic=True,
    )
    if isinstance(error, errors.InvalidArgument):
        bad_request = error_details_pb2.BadRequest()
        for violation in error.violations:
            bad_request.field_violations.add(
                field=violation.field, description=violation.description
            )
        status.details.add().Pack(bad_request)
    if isinstance(error, errors.FailedPrecondition) and error.violations:
        failure = error_details_pb2.PreconditionFailure()
        for broken in error.violations:
            failure.violations.add(
                type=broken.rule, subject=broken.subject, description=broken.description
            )
        status.details.add().Pack(failure)
    if isinstance(error, errors.Unavailable | errors.ResourceExhausted):
        delay = Duration()
        delay.FromMilliseconds(int(error.retry_seconds * 1000))
        status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
    return status


def internal() -> status_pb2.Status:
    """What a caller sees of a bug. The log has the rest."""
    return status_pb2.Status(
        code=code_pb2.INTERNAL, message="Something went wrong on our side; the log has the details."
    )


def grpc_code(status: status_pb2.Status) -> grpc.StatusCode:
    return next(code for code in grpc.StatusCode if code.value[0] == status.code)
