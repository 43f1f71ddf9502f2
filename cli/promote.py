"""`hemline promote`: where a region's writes go when the region itself cannot take them."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cli import output
from cli.problems import Problem, report_errors
from cli.running import running
from deploy.local import promote
from deploy.local.parts import PlanError
from deploy.local.refused import Refused


def register(app: typer.Typer) -> None:
    app.command(name="promote")(promote_)


def promote_(
    region: Annotated[str, typer.Argument(help="Whose primary is to be elsewhere.")],
    to: Annotated[str | None, typer.Option(help="A sibling; else the least behind.")] = None,
    *,
    force: Annotated[bool, typer.Option(help="Also if the primary still answers.")] = False,
    back: Annotated[bool, typer.Option(help="Home again, in good order.")] = False,
    folder: Annotated[Path | None, typer.Option(help="The world; HEMLINE_WORLD.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Makes a standby of REGION's PostgreSQL its primary, so that writes go on."""
    began = time.monotonic()
    with report_errors():
        try:
            world, _ = running(folder)
            if region not in world.regions:
                raise Problem(f"unknown region {region}", f"known: {', '.join(world.regions)}")
            with promote.alone(world):
                plan = promote.plan(world, region, to, force=force, back=back)
                if not as_json:
                    _before(plan)
                promote.carry_out(world, plan, (lambda _: None) if as_json else typer.echo)
        except (Refused, PlanError) as refusal:
            raise Problem(str(refusal)) from None
    if as_json:
        output.print_json(
            {
                "region": region,
                "from": plan.old.at,
                "to": plan.new.at,
                "planned": plan.planned,
                "may_be_lost": plan.loss,
                "lag": asdict(plan.lag),
                "seconds": round(time.monotonic() - began, 2),
            }
        )
        return
    typer.echo("Next: hemline status")
    if plan.new.at != region:
        typer.echo(f"Next, once it follows as a standby: hemline promote {region} --back")


def _before(plan: promote.Plan) -> None:
    lag = plan.lag
    behind = "unknown" if lag.lag_bytes is None else f"{lag.lag_bytes:,} bytes"
    typer.echo(f"{plan.region}: from {plan.old.at} to {plan.new.at}")
    typer.echo(
        f"  behind the primary: {behind}; received and not replayed: {lag.unreplayed_bytes:,}"
    )
    typer.echo(f"  last transaction replayed: {lag.last_commit or 'none since its start'}")
    typer.echo(f"  may be lost: {plan.loss}")
