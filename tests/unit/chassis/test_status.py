"""Every error becomes one gRPC status with the details that help."""

import pytest
from google.rpc import code_pb2, error_details_pb2

from services.chassis import errors, status


def detail(found: object, kind: type) -> object:
    message = kind()
    packed = next(one for one in found.details if one.Is(message.DESCRIPTOR))  # type: ignore[attr-defined]
    packed.Unpack(message)
    return message


def test_every_class_has_a_code() -> None:
    for kind in errors.HemlineError.__subclasses__():
        assert status.code_of(kind) != code_pb2.UNKNOWN


def test_fields_at_fault_are_named() -> None:
    error = errors.InvalidArgument(
        errors.FieldViolation("a.b", "must be x."), errors.FieldViolation("c", "must be y.")
    )
    found = status.to_status(error)
    assert found.code == code_pb2.INVALID_ARGUMENT
    assert found.message == "a.b: must be x. (and 1 more)"
    violations = detail(found, error_details_pb2.BadRequest).field_violations  # type: ignore[attr-defined]
    assert [one.field for one in violations] == ["a.b", "c"]


def test_reason_and_metadata_cross() -> None:
    found = status.to_status(errors.RequestIdReused("1"))
    info = detail(found, error_details_pb2.ErrorInfo)
    assert info.reason == "REQUEST_ID_REUSED"  # type: ignore[attr-defined]
    assert info.metadata == {"request_id": "1"}  # type: ignore[attr-defined]


def test_a_broken_rule_is_named_with_what_breaks_it() -> None:
    rule = errors.RuleViolation("LAST_ONE", "regions/x", "no other is left.")
    found = status.to_status(errors.FailedPrecondition("No.", [rule]))
    (violation,) = detail(found, error_details_pb2.PreconditionFailure).violations  # type: ignore[attr-defined]
    assert (violation.type, violation.subject, violation.description) == rule
    assert len(status.to_status(errors.FailedPrecondition("No.")).details) == 1


def test_unavailable_says_when_to_retry() -> None:
    retry = detail(status.to_status(errors.Unavailable("x")), error_details_pb2.RetryInfo)
    assert retry.retry_delay.ToMilliseconds() == pytest.approx(1000)  # type: ignore[attr-defined]


def test_a_bug_says_nothing() -> None:
    assert not status.internal().details
