"""`hemline chaos`: break a region of the local world on purpose, watch, and heal it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cli import output
from cli.problems import Problem, report_errors
from cli.running import running
from deploy.local import chaos
from deploy.local.faults import Fault, Kind
from deploy.local.parts import PlanError
from deploy.local.refused import Refused
from deploy.local.state import WorldStatus
from deploy.local.world import World

LOOK = ("hemline status", "hemline regions", "hemline explain-route --home {region}")

Region = Annotated[str, typer.Argument(help="Such as eu-west-1.")]
Service = Annotated[str | None, typer.Option(help="This service and its sidecar alone.")]
ServicesOnly = Annotated[bool, typer.Option("--services-only", help="Spare its databases.")]
Seconds = Annotated[
    float | None, typer.Option(min=0.1, help="Heal by itself after this; Ctrl-C heals at once.")
]
Folder = Annotated[Path | None, typer.Option("--folder", help="The world; HEMLINE_WORLD.")]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="Break a region on purpose, and heal it.")
    for command in (kill, freeze, partition, slow, heal):
        group.command(name=command.__name__)(command)
    app.add_typer(group, name="chaos")


def kill(
    region: Region,
    service: Service = None,
    seconds: Seconds = None,
    folder: Folder = None,
    *,
    services_only: ServicesOnly = False,
    as_json: Json = False,
) -> None:
    """Kills the region's processes (SIGKILL). Nothing starts them again until it is healed."""
    with _reporting():
        world, found = running(folder)
        chosen = _members(world, found, region, service, services_only=services_only)
        fault = Fault(Kind.KILL, region, chosen)
        _strike(world, found, fault, seconds, as_json=as_json)


def freeze(
    region: Region,
    service: Service = None,
    seconds: Seconds = None,
    folder: Folder = None,
    *,
    services_only: ServicesOnly = False,
    as_json: Json = False,
) -> None:
    """Stops the region's processes where they are (SIGSTOP): connected, and silent."""
    with _reporting():
        world, found = running(folder)
        chosen = _members(world, found, region, service, services_only=services_only)
        fault = Fault(Kind.FREEZE, region, chosen)
        _strike(world, found, fault, seconds, as_json=as_json)


def partition(
    region: Region, seconds: Seconds = None, folder: Folder = None, *, as_json: Json = False
) -> None:
    """Cuts the region off from every other. Its own clients still reach it."""
    with _reporting():
        world, found = running(folder)
        _strike(world, found, Fault(Kind.PARTITION, region), seconds, as_json=as_json)


def slow(
    region: Region,
    ms: Annotated[float, typer.Option(min=1, max=60_000, help="Added to each round trip.")] = 200,
    seconds: Seconds = None,
    folder: Folder = None,
    *,
    as_json: Json = False,
) -> None:
    """Lengthens every round trip between the region and any other."""
    with _reporting():
        world, found = running(folder)
        _strike(world, found, Fault(Kind.SLOW, region, ms=ms), seconds, as_json=as_json)


def heal(
    region: Annotated[str | None, typer.Argument(help="All of them, without one.")] = None,
    folder: Folder = None,
    *,
    as_json: Json = False,
) -> None:
    """Undoes what was done, and waits until all of it is ready again."""
    with _reporting():
        world, found = running(folder)
        if region:
            chaos.check(world, found, region)
        _heal(world, region, as_json=as_json)


def _strike(
    world: World, found: WorldStatus, fault: Fault, seconds: float | None, *, as_json: bool
) -> None:
    chaos.check(world, found, fault.region)
    chaos.strike(world, found, fault)
    if as_json:
        output.print_json({**asdict(fault), "seconds": seconds})
    else:
        typer.echo(_what(fault))
        typer.echo("Look at what that does:")
        for line in LOOK:
            typer.echo(f"  {line.format(region=fault.region)}")
    if seconds is None:
        if not as_json:
            typer.echo(f"Heal it with:\n  hemline chaos heal {fault.region}")
        return
    try:
        time.sleep(seconds)
    except KeyboardInterrupt:
        typer.echo("", err=True)
    finally:
        _heal(world, fault.region, as_json=as_json, quiet=as_json)


def _heal(world: World, region: str | None, *, as_json: bool, quiet: bool = False) -> None:
    undone = chaos.heal(world, region)
    regions = [region] if region else list(world.regions)
    silent = as_json or quiet
    began = time.monotonic()
    for part in chaos.wait_until_well(world, regions):
        if not silent:
            typer.echo(f"  {part}: ready")
    took = round(time.monotonic() - began, 1)
    if as_json and not quiet:
        output.print_json({"undone": [asdict(fault) for fault in undone], "seconds": took})
    elif not silent:
        done = ", ".join(f"{fault.kind} {fault.region}" for fault in undone)
        typer.echo(f"Undone: {done}. Ready after {took} s." if done else "Nothing was broken.")


def _members(
    world: World, found: WorldStatus, region: str, service: str | None, *, services_only: bool
) -> tuple[str, ...]:
    chaos.check(world, found, region)
    return chaos.members(found, region, service, services_only=services_only)


def _what(fault: Fault) -> str:
    parts = f"{len(fault.parts)} processes" if len(fault.parts) != 1 else "one process"
    match fault.kind:
        case Kind.KILL:
            return f"{fault.region}: {parts} killed; nothing starts them again."
        case Kind.FREEZE:
            return f"{fault.region}: {parts} frozen; they hold their connections and say nothing."
        case Kind.PARTITION:
            return f"{fault.region}: cut off from every other region."
        case Kind.SLOW:
            return f"{fault.region}: {fault.ms:g} ms more for a round trip to any other region."


@contextmanager
def _reporting() -> Iterator[None]:
    with report_errors():
        try:
            yield
        except (Refused, PlanError) as refusal:
            raise Problem(str(refusal)) from None
