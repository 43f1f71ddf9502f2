"""Whatever goes wrong, in one line on standard error: what, why, and what to do next."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import typer
from google.rpc import error_details_pb2
from grpc_status import rpc_status

FAILED = 1
WORLD_DOWN = 3  # 2 is wrong usage, as typer has it.
WORLD_DOWN_HINT = "start it with `hemline up`"

HINTS = {
    "LOGIN_UNKNOWN": "add the user with `hemline tenant add-user`",
    "TOKEN_INVALID": "sign in again",
    "PERMISSION_MISSING": "use an account whose role has it; see `hemline token inspect`",
    "DATABASE_UNAVAILABLE": "see `hemline status`",
    "HOME_REGION_READ_ONLY": "see `hemline status`; `hemline promote REGION` makes a sibling take "
    "the writes",
    "PROVIDER_UNAVAILABLE": "see `hemline status`",
    "RESIDENCY_NO_HEALTHY_REGION": "see `hemline status`",
    "RACE_LOST": "run it again",
    "LAST_HEALTHY_REGION": "see `hemline regions`",
    "POLICY_CHANGED": "see `hemline policy history`, then run it again",
}
FIELD_HINTS = {
    "policy.weights": "give --mode weighted and a --weight REGION=PERCENT for each, 100 in all",
    "policy.tracks": "give a --track SERVICE:TRACK=PERCENT for each track, 100 in all",
}
"""By the beginning of a field's path: the options that say it."""


class Problem(Exception):
    """Ends a command. ``next_step`` completes the line; ``code`` is the exit code."""

    def __init__(self, what: str, next_step: str = "", code: int = FAILED) -> None:
        super().__init__(f"{what}; {next_step}" if next_step else what)
        self.code = code


@contextmanager
def report_errors() -> Iterator[None]:
    """Turns a failed call, or a `Problem`, into one line and an exit code."""
    try:
        yield
    except Problem as problem:
        note(str(problem))
        raise typer.Exit(problem.code) from None
    except grpc.RpcError as error:
        found = problem_from(error)
        note(str(found))
        raise typer.Exit(found.code) from None
    except BrokenPipeError:
        # Whoever read the output, such as `head`, has had enough. Python would complain once more
        # when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(FAILED) from None


def problem_from(error: grpc.RpcError) -> Problem:
    """Reads the status and its `google.rpc` details."""
    code = code_of(error)
    if code is None:
        return Problem(f"the call failed: {_one_line(str(error))}")
    call: Any = error
    said = call.details() or "no details"
    info, bad_request = details_of(error)
    reason, endpoint = info.reason, info.metadata.get("endpoint", "")
    fields = [f"{bad.field}: {bad.description}" for bad in bad_request.field_violations]
    if code is grpc.StatusCode.UNAVAILABLE and not reason:
        return Problem(
            f"no answer from the edge ({_one_line(said)})",
            f"if the local world is down, {WORLD_DOWN_HINT}; else see `hemline status`",
            WORLD_DOWN,
        )
    what = "; ".join(fields) or said
    hint = f"call {endpoint}" if endpoint else HINTS.get(reason, "") or _field_hint(fields)
    name = f"{code.name} {reason}".strip()
    return Problem(f"{name}: {_one_line(what).rstrip('.')}", hint)


def _field_hint(fields: list[str]) -> str:
    return next(
        (hint for name, hint in FIELD_HINTS.items() for each in fields if each.startswith(name)),
        "",
    )


def details_of(
    error: grpc.RpcError,
) -> tuple[error_details_pb2.ErrorInfo, error_details_pb2.BadRequest]:
    """Returns the two details that Hemline's errors carry, empty where there are none."""
    info, bad_request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    call: Any = error
    status = rpc_status.from_call(call) if isinstance(call, grpc.Call) else None
    for detail in status.details if status else ():
        if not detail.Unpack(info):
            detail.Unpack(bad_request)
    return info, bad_request


def code_of(error: grpc.RpcError) -> grpc.StatusCode | None:
    """Returns the code of a failed call. What gRPC raises is an `RpcError` and a `Call` at once."""
    call: Any = error
    return call.code() if isinstance(call, grpc.Call) else None


def _one_line(text: str) -> str:
    return " ".join(text.split())


def note(line: str) -> None:
    """Says on standard error what somebody should know, though it is no failure."""
    typer.echo(f"hemline: {line}", err=True)
