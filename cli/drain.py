"""`hemline drain` and `undrain`: calls off a region and back, at once or in steps."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Annotated

import grpc
import typer
from hemline.router.v1 import operations_service_pb2 as pb
from hemline.router.v1 import operations_service_pb2_grpc as pb_grpc

from cli import operator, output
from cli.operator import AsJson, DryRun, Reason, Via
from cli.problems import note, report_errors

Region = Annotated[str, typer.Argument(help="Such as eu-central-1.")]
Step = Annotated[int, typer.Option(min=0, max=100, help="Percent a step; 0 for all at once.")]
Every = Annotated[float, typer.Option(min=0, max=3600, help="Seconds between two steps.")]

Answer = pb.DrainRegionResponse | pb.UndrainRegionResponse


def register(app: typer.Typer) -> None:
    app.command("drain")(drain)
    app.command("undrain")(undrain)


def drain(  # noqa: PLR0913  # The options of a command.
    region: Region,
    *,
    percent: Annotated[int, typer.Option(min=1, max=100, help="How much to take off it.")] = 100,
    step: Step = 0,
    every: Every = 5,
    dry_run: DryRun = False,
    reason: Reason = "",
    via: Via = None,
    as_json: AsJson = False,
) -> None:
    """Take calls off a region; its siblings serve its tenants. What runs is finished."""
    with report_errors(), operator.operations(via, region) as stub:
        held = _held(stub, region)
        with _told_where_it_stops(region, held) as reached:
            # Stepping starts from what is drained already.
            for wanted in steps(held, percent, 0 if dry_run else step, every):
                request = pb.DrainRegionRequest(
                    name=f"regions/{region}",
                    percent=wanted,
                    validate_only=dry_run,
                    request_id=operator.request_id(),
                    reason=reason,
                )
                answer = stub.DrainRegion(request)
                _print(answer, region, dry_run=dry_run, as_json=as_json)
                reached.append(wanted)
        if not as_json:
            _next_steps(
                [f"hemline drain {region} --percent {percent}"]
                if dry_run
                else ["hemline regions --watch", f"hemline undrain {region}"]
            )


def undrain(  # noqa: PLR0913  # The options of a command.
    region: Region,
    *,
    percent: Annotated[int, typer.Option(min=0, max=99, help="How much stays drained.")] = 0,
    step: Step = 0,
    every: Every = 5,
    dry_run: DryRun = False,
    reason: Reason = "",
    via: Via = None,
    as_json: AsJson = False,
) -> None:
    """Give a region its calls back."""
    with report_errors(), operator.operations(via, region) as stub:
        held = _held(stub, region)
        with _told_where_it_stops(region, held) as reached:
            for wanted in steps(held, min(percent, held), 0 if dry_run else step, every):
                request = pb.UndrainRegionRequest(
                    name=f"regions/{region}",
                    percent=wanted,
                    validate_only=dry_run,
                    request_id=operator.request_id(),
                    reason=reason,
                )
                answer = stub.UndrainRegion(request)
                _print(answer, region, dry_run=dry_run, as_json=as_json)
                reached.append(wanted)
        if not as_json:
            _next_steps([f"hemline undrain {region}"] if dry_run else ["hemline regions --watch"])


@contextmanager
def _told_where_it_stops(region: str, held: int) -> Iterator[list[int]]:
    """Says where the region stands if a step is refused, or Ctrl-C comes, after others."""
    reached = [held]
    try:
        yield reached
    except (grpc.RpcError, KeyboardInterrupt):
        if len(reached) > 1:
            note(f"{region}: {reached[-1]} % is what was confirmed last; see `hemline regions`")
        raise


def steps(held: int, wanted: int, step: int, every: float) -> Iterator[int]:
    """Yields percents from ``held``, without it, to ``wanted``, with a pause between two."""
    way = 1 if wanted > held else -1
    passed: Iterable[int] = range(held + way * step, wanted, way * step) if step else ()
    for percent in passed:
        yield percent
        time.sleep(every)
    yield wanted


def share_rows(shares: Iterable[pb.RegionShares]) -> list[tuple[str, str, str]]:
    """Home, edge, and who is asked first there for how much."""
    return [
        (
            found.home_region,
            found.edge_region,
            ", ".join(f"{name} {percent:g} %" for name, percent in sorted(found.percents.items())),
        )
        for found in shares
    ]


def _held(stub: pb_grpc.OperationsServiceStub, region: str) -> int:
    policy = stub.GetTrafficPolicy(pb.GetTrafficPolicyRequest()).policy
    return policy.drained.get(region, 0)


def _print(answer: Answer, region: str, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        output.print_json(output.plain(answer))
        return
    percent = answer.policy.drained.get(region, 0)
    would = "would be" if dry_run else "is"
    said = f"drained by {percent} %" if percent else "not drained"
    rows = share_rows(answer.shares)
    output.print_table(f"{region} {would} {said}", ("Home", "Edge", "First asked"), rows)
    for name in answer.unreachable:
        typer.echo(f"The policy store of {name} does not answer; it is brought there later.")


def _next_steps(commands: Iterable[str]) -> None:
    for command in commands:
        typer.echo(f"Next: {command}")
