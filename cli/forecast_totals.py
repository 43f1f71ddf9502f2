"""`hemline forecast total`, `totals` and `export`: several days, many series, all of them."""

from pathlib import Path
from typing import Annotated

import typer
from hemline.forecast.v1 import forecast_service_pb2 as pb
from hemline.forecast.v1 import forecast_service_pb2_grpc as pb_grpc

from cli import charts, output
from cli.forecast_why import series_name
from cli.pages import pages
from cli.problems import report_errors
from cli.session import sign_in

MOST_PER_PAGE = 200
STREAM_SECONDS = 900.0

Store = Annotated[str, typer.Argument(help="The store.")]
Sku = Annotated[str, typer.Argument(help="The SKU.")]
User = Annotated[str, typer.Option(help="Whose forecasts: the e-mail of an account.")]
Json = Annotated[bool, typer.Option("--json", help="The answer as JSON.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="How many to show.")]


def register(group: typer.Typer) -> None:
    group.command("total")(total)
    group.command("totals")(totals)
    group.command("export")(export)


def total(
    store: Store,
    sku: Sku,
    *,
    user: User,
    days: Annotated[int, typer.Option(min=1, help="Such as the days of a delivery.")],
    as_json: Json = False,
) -> None:
    """Say what one SKU will sell in one store over the first days together."""
    request = pb.GetDemandTotalRequest(name=series_name(store, sku), days=days)
    with report_errors(), sign_in(user).channel() as channel:
        found = pb_grpc.ForecastServiceStub(channel).GetDemandTotal(request).total
    if as_json:
        output.print_json(output.plain(found))
        return
    typer.echo(
        f"{found.start_date} to {found.end_date}: {found.mean_units:,.1f} units expected. "
        f"With a chance of 80 %, {found.p10_units:,.1f} to {found.p90_units:,.1f}; "
        f"half of the time below {found.p50_units:,.1f}."
    )
    if found.overrides:
        typer.echo(f"Planners changed it: the system expects {found.system_mean_units:,.1f}.")
    typer.echo(f"Next: hemline forecast totals --by category --user {user}")


def totals(
    *,
    user: User,
    by: Annotated[
        str, typer.Option("--by", help="total, store, store_region, category, style or product.")
    ] = "store",
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List what stores, categories, styles or products will sell, the largest first."""
    request = pb.ListAggregatesRequest(level=by)
    with report_errors(), sign_in(user).channel() as channel:
        method = pb_grpc.ForecastServiceStub(channel).ListAggregates
        read = [*pages(method, request, "aggregates", page_size=MOST_PER_PAGE, limit=limit)]
    found = [group for page in read for group in page.aggregates][:limit]
    run = read[0].forecast_run
    if as_json:
        groups = [output.plain(group) for group in found]
        output.print_json({"forecast_run": output.plain(run), "aggregates": groups})
        return
    if not found:
        typer.echo(f"Nothing is known by {by}. See `hemline import attributes --help`.")
        return
    rows = [
        (
            group.group or "(not known)",
            f"{group.horizon_mean_units:,.1f}",
            f"{group.horizon_p10_units:,.1f}-{group.horizon_p90_units:,.1f}",
            charts.sparkline([day.mean_units for day in group.days]),
        )
        for group in found
    ]
    title = f"Units expected in the {run.horizon_days} days after {run.cutoff_date}, by {by}"
    output.print_table(title, (by, ">Units", ">P10-P90", "Each day"), rows)


def export(
    *,
    user: User,
    out: Annotated[Path, typer.Option(help="FILE.parquet or FILE.csv.")],
    store: Annotated[str, typer.Option(help="Only this store.")] = "-",
    as_json: Json = False,
) -> None:
    """Write all forecasts of the last run to a file: a row a series and day."""
    from cli import forecast_export  # Arrow takes 0.1 s to import.

    with report_errors():
        writer = forecast_export.writer_for(out)
        request = pb.StreamForecastsRequest(parent=f"stores/{store.removeprefix('stores/')}")
        with sign_in(user).channel() as channel, output.progress(enabled=not as_json) as begin:
            stream = pb_grpc.ForecastServiceStub(channel).StreamForecasts(
                request, timeout=STREAM_SECONDS
            )
            done = forecast_export.write(stream, out, writer, begin("Forecasts"))
    if as_json:
        run = output.plain(done.run)
        output.print_json({"forecast_run": run, "series": done.series, "rows": done.rows})
        return
    typer.echo(f"{done.series:,} series, {done.rows:,} rows of {done.run.name}: {out}")
