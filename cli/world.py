"""`hemline up | status | down | logs`: the world on one machine."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cli import output, world_detached, world_logs, world_report, world_view
from cli.problems import FAILED, WORLD_DOWN, WORLD_DOWN_HINT, Problem, report_errors
from deploy.local import claim, down, run, state
from deploy.local.places import places
from deploy.local.ports import BASE_PORT, EDGE_PORT
from deploy.local.state import WorldState, WorldStatus

Folder = Annotated[
    Path | None,
    typer.Option("--folder", help="Where the world keeps its data; HEMLINE_WORLD, or .hemline."),
]


def register(app: typer.Typer) -> None:
    for command in (up, status, down_, logs):
        app.command(name=command.__name__.rstrip("_"))(command)


def up(  # noqa: PLR0913 - each is an option.
    folder: Folder = None,
    *,
    detach: Annotated[bool, typer.Option("--detach", help="Return when it is ready.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Drop the data first.")] = False,
    seed: Annotated[bool, typer.Option(help="Make the two demo retailers.")] = True,
    base_port: Annotated[int, typer.Option(help="First of a thousand ports.")] = BASE_PORT,
    edge_port: Annotated[int, typer.Option(help="The first region's edge.")] = EDGE_PORT,
    routers: Annotated[int, typer.Option(min=1, max=2, help="In each region.")] = 1,
    latency: Annotated[
        bool, typer.Option("--latency", help="Calls between regions take their time.")
    ] = False,
) -> None:
    """Runs three regions on this machine until Ctrl-C, or in the background with --detach."""
    here = places(folder)
    started = WorldStatus(
        base_port=base_port, edge_port=edge_port, routers=routers, latency=latency
    )
    view = world_view.view(here, attached=not detach)
    with report_errors():
        try:
            if detach:
                world_detached.up(here, started, view, seed=seed, fresh=fresh)
            else:
                parts = lambda: run.draw(here, started, seed=seed, fresh=fresh)  # noqa: E731
                asyncio.run(run.run(here, started, parts, view.show))
        except run.PROBLEMS as problem:
            raise Problem(str(problem)) from None
        finally:
            view.close()


def status(
    folder: Folder = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Shows what runs. Exit code 0 only if everything does."""
    here = places(folder)
    found = state.read(here.status)
    if found is None or not claim.held(here.folder):
        found = _not_running(found)
    report = world_report.report(here, found)
    if as_json:
        output.print_json(report.as_dict())
    else:
        world_report.show(report, Console())
    if found.state in (WorldState.STOPPED, WorldState.FAILED):
        raise typer.Exit(WORLD_DOWN)
    raise typer.Exit(0 if report.healthy else FAILED)


def down_(folder: Folder = None) -> None:
    """Stops the world, however it was started, and what a killed one has left."""
    here = places(folder)
    stopped = down.down(here)
    if not stopped:
        typer.echo("Nothing runs.")
        return
    typer.echo(f"Stopped {len(stopped)} parts: {world_report.by_group(stopped)}.")


def logs(
    part: Annotated[
        str | None, typer.Argument(help="Such as eu-central-1/router, or eu-central-1.")
    ] = None,
    folder: Folder = None,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as they grow.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="Of each at first.")] = 20,
) -> None:
    """Shows the last lines of a part's log, of a region's logs, or of all."""
    here = places(folder)
    with report_errors():
        found = world_logs.find(here, part)
        if not found:
            known = ", ".join(sorted(world_logs.find(here, None))) or f"none; {WORLD_DOWN_HINT}"
            raise Problem(f"no log of {part or 'anything'}", f"known: {known}")
        world_logs.show(found, lines)
        if follow:
            world_logs.follow(found)


def _not_running(found: WorldStatus | None) -> WorldStatus:
    """What the file says, but for a supervisor that was killed before it could say so."""
    if found is None:
        return WorldStatus(state=WorldState.STOPPED)
    if found.state not in (WorldState.STOPPED, WorldState.FAILED):
        found.state = WorldState.FAILED
        found.problem = "the supervisor was killed; `hemline down` stops what it has left"
    return found
