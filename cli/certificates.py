"""`hemline certificates rotate`: new certificates for the running world, and nobody notices."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from cli import output
from cli.problems import WORLD_DOWN_HINT, Problem, report_errors
from deploy.local import certificates, certificates_shown, claim
from deploy.local.places import TOPOLOGY, Places, places
from services.chassis import topology as topologies
from services.chassis.topology import Topology

PATIENCE_SECONDS = 30.0
POLL_SECONDS = 0.2
ROUTERS_SECONDS = 1.0
"""In which each router has looked at its folder. Envoys tell of the router they talk to alone."""


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="Certificates between the proxies.")
    group.command(name="rotate")(rotate)
    app.add_typer(group, name="certificates")


def rotate(
    region: Annotated[
        str | None, typer.Option("--region", help="Such as eu-central-1; all if not given.")
    ] = None,
    folder: Annotated[Path | None, typer.Option("--folder", help="The world's folder.")] = None,
    *,
    authority: Annotated[
        bool,
        typer.Option("--authority", help="The authority as well, in the region's jurisdiction."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Replaces certificates, and waits until every Envoy that runs shows the new ones."""
    began = time.monotonic()
    with report_errors():
        say: Callable[[str], None] = _silent if as_json else typer.echo
        here, found = places(folder), topologies.load(TOPOLOGY)
        if region is not None and region not in found.regions:
            raise Problem(f"no region {region}", f"known: {', '.join(found.regions)}")
        if not here.authorities.exists():
            raise Problem(f"no certificates in {here.folder}", WORLD_DOWN_HINT)
        regions = [region] if region else list(found.regions)
        authorities = {found.regions[one].jurisdiction for one in regions} if authority else set()
        if authority:
            for name in sorted(authorities):
                _roll(here, found, name, say)
            # Every region of a jurisdiction has certificates of its authority.
            regions = [one for name in authorities for one in found.jurisdictions[name].regions]
        else:
            certificates.rotate(here, found, regions)
            _wait(here, found)
            for name in regions:
                say(f"{name}: shows new certificates")
        if as_json:
            took = round(time.monotonic() - began, 2)
            rotated = {"regions": sorted(regions), "authorities": sorted(authorities)}
            output.print_json({**rotated, "seconds": took})


def _silent(_: str) -> None:
    """Says nothing."""


def _roll(here: Places, found: Topology, name: str, say: Callable[[str], None]) -> None:
    for step in certificates.roll(here, found, found.jurisdictions[name]):
        # An Envoy that has missed a step would refuse those that have not.
        _wait(here, found)
        say(f"{name}: {step}")


def _wait(here: Places, found: Topology) -> None:
    """Waits until what lies in the folders is in force. Raises Problem if it takes too long."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while claim.held(here.folder) and (behind := certificates_shown.behind(here, found)):
        if time.monotonic() > deadline:
            raise Problem(
                f"still with old certificates: {', '.join(behind)}",
                "see `hemline status`, then run it again: nothing is lost by that",
            )
        time.sleep(POLL_SECONDS)
    time.sleep(ROUTERS_SECONDS)
