"""`hemline override`: what planners know better, and what it was worth."""

from math import isnan
from typing import Annotated
from uuid import uuid4

import typer
from hemline.forecast.v1 import override_service_pb2 as pb
from hemline.forecast.v1 import override_service_pb2_grpc as pb_grpc

from cli import output
from cli.pages import pages
from cli.problems import Problem, report_errors
from cli.session import sign_in

MOST_PER_PAGE = 200

User = Annotated[str, typer.Option(help="Whose forecasts: the e-mail of an account.")]
Json = Annotated[bool, typer.Option("--json", help="The answer as JSON.")]
Name = Annotated[str, typer.Argument(help="overrides/..., as `hemline override list` names it.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="What planners know better.", no_args_is_help=True)
    group.command("create")(create)
    group.command("list")(list_)
    group.command("delete")(delete)
    group.command("summary")(summary)
    app.add_typer(group, name="override")


def create(  # noqa: PLR0913  # Each is an option of the command line.
    *,
    user: User,
    start: Annotated[str, typer.Option("--from", help="The first day, YYYY-MM-DD.")],
    end: Annotated[str, typer.Option("--to", help="The last day, YYYY-MM-DD.")],
    reason: Annotated[str, typer.Option(help="Why. No personal data.")],
    store: Annotated[str, typer.Option(help="One store; all if left out.")] = "",
    sku: Annotated[str, typer.Option(help="One SKU.")] = "",
    product: Annotated[str, typer.Option(help="One product.")] = "",
    category: Annotated[str, typer.Option(help="All SKUs of a category.")] = "",
    units: Annotated[float | None, typer.Option(min=0, help="Units in all.")] = None,
    factor: Annotated[
        float | None, typer.Option(min=0, max=100, help="Times what the system expects.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Replace or scale what is forecast of some days."""
    with report_errors():
        if (units is None) == (factor is None):
            raise Problem("nothing to change", "give --units or --factor")
        change = {"factor": factor} if units is None else {"total_units": units}
        subject = pb.OverrideSubject(
            store=store, sku=sku.upper(), product=product, category=category
        )
        override = pb.Override(
            subject=subject, start_date=start, end_date=end, reason=reason, **change
        )
        request = pb.CreateOverrideRequest(override=override, request_id=str(uuid4()))
        with sign_in(user).channel() as channel:
            made = pb_grpc.OverrideServiceStub(channel).CreateOverride(request).override
    if as_json:
        output.print_json(output.plain(made))
        return
    typer.echo(f"{made.name}: {_said(made)} in place of {made.system_units:,.1f} units.")
    typer.echo(f"Next: hemline override list --user {user}")


def list_(
    *,
    user: User,
    active: Annotated[bool, typer.Option("--active", help="Only of days to come.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many to show.")] = 50,
    as_json: Json = False,
) -> None:
    """List overrides, newest first, with what those that are over were worth."""
    request = pb.ListOverridesRequest(only_active=active)
    with report_errors(), sign_in(user).channel() as channel:
        method = pb_grpc.OverrideServiceStub(channel).ListOverrides
        read = [*pages(method, request, "overrides", page_size=MOST_PER_PAGE, limit=limit)]
    found = [override for page in read for override in page.overrides][:limit]
    if as_json:
        output.print_json({"overrides": [output.plain(override) for override in found]})
        return
    rows = [
        (
            override.name,
            _subject(override.subject),
            f"{override.start_date} to {override.end_date}",
            _said(override),
            f"{override.system_units:,.1f}",
            _worth(override.score.value_added) if override.HasField("score") else "",
            "taken back" if override.HasField("delete_time") else override.reason,
        )
        for override in found
    ]
    headings = ("Name", "Of", "Days", ">Planner", ">System", ">Value added", "?Why")
    output.print_table("Overrides, newest first", headings, rows)


def delete(name: Name, *, user: User, as_json: Json = False) -> None:
    """Take an override back."""
    request = pb.DeleteOverrideRequest(name=name, request_id=str(uuid4()))
    with report_errors(), sign_in(user).channel() as channel:
        gone = pb_grpc.OverrideServiceStub(channel).DeleteOverride(request).override
    if as_json:
        output.print_json(output.plain(gone))
        return
    typer.echo(f"{gone.name} no longer counts.")


def summary(
    *,
    user: User,
    since: Annotated[str, typer.Option(help="Of days from here on, YYYY-MM-DD.")] = "",
    as_json: Json = False,
) -> None:
    """Say what overrides were worth: forecast value added."""
    request = pb.SummarizeOverridesRequest(start_date=since)
    with report_errors(), sign_in(user).channel() as channel:
        found = pb_grpc.OverrideServiceStub(channel).SummarizeOverrides(request)
    if as_json:
        output.print_json(output.plain(found))
        return
    if not found.overrides:
        typer.echo("No override is over yet: nothing to judge.")
        return
    score = found.score
    typer.echo(
        f"{found.better} of {found.overrides} were closer than the system. Together they missed "
        f"{score.override_error_units:,.1f} units, the system {score.system_error_units:,.1f}: "
        f"value added {_worth(score.value_added)}."
    )


def _subject(subject: pb.OverrideSubject) -> str:
    return " ".join(part for part in (subject.store, subject.sku, subject.product) if part) or (
        subject.category
    )


def _worth(value_added: float) -> str:
    return "none to add" if isnan(value_added) else f"{value_added:+.0%}"


def _said(override: pb.Override) -> str:
    if override.WhichOneof("change") == "factor":
        return f"x {override.factor:g}"
    return f"{override.total_units:,.1f} units"
