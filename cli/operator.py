"""Signed in as an operator, at an edge that answers.

An operator's own region may be the one that is down: then a sibling's operator does the same.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated
from uuid import uuid4

import grpc
import typer
from hemline.router.v1 import operations_service_pb2_grpc as pb_grpc

from cli.problems import Problem, code_of, note
from cli.session import DOWN, Session, answers, local_topology, sign_in
from deploy.local.world import operator_email

Via = Annotated[
    str | None,
    typer.Option(
        help="Region whose operator to be and whose edge to call; by itself one that is up."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
Reason = Annotated[str, typer.Option(help="Why, for the audit.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen, change nothing.")]


@contextmanager
def operations(
    via: str | None, region: str | None = None
) -> Iterator[pb_grpc.OperationsServiceStub]:
    """The operations API, as an operator.

    Args:
        via: whose operator to be, and no other's.
        region: whose operator to be if ``via`` is not given, or a sibling's if its edge is down;
            None for the topology's first.

    Raises:
        Problem: no such region, or no edge answers.
    """
    with channel(via, region) as opened:
        yield pb_grpc.OperationsServiceStub(opened)


@contextmanager
def channel(via: str | None, region: str | None = None) -> Iterator[grpc.Channel]:
    """The same for any service."""
    candidates = _candidates(via, region)
    for name in candidates:
        session = _signed_in(name)
        if session is None:
            note(f"nobody can sign in through {name}")
            continue
        with session.channel(session.home_endpoint) as opened:
            if session.has_just_answered(session.home_endpoint) or answers(opened):
                if name != candidates[0]:
                    note(f"going through {name}")
                yield opened
                return
        note(f"the edge of {name} does not answer")
    raise Problem("no edge answers", "see `hemline status`, or name another region with --via")


def request_id() -> str:
    return str(uuid4())


def jurisdiction_of(region: str) -> tuple[str, ...]:
    """Returns the regions of the jurisdiction. Raises Problem for a region that is not there."""
    topology = local_topology()
    if region not in topology.regions:
        raise Problem(f"unknown region {region}", f"known: {', '.join(topology.regions)}")
    return topology.jurisdiction_of(region).regions


def _candidates(via: str | None, region: str | None) -> list[str]:
    first = via or region or next(iter(local_topology().regions))
    family = jurisdiction_of(first)
    return [first] if via else [first, *(name for name in family if name != first)]


def _signed_in(region: str) -> Session | None:
    try:
        return sign_in(operator_email(region), near=region)
    except grpc.RpcError as error:
        if code_of(error) in DOWN:
            return None
        raise
