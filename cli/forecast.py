"""`hemline forecast` runs and shows forecasts."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from math import isnan
from typing import Annotated, Any
from uuid import uuid4

import typer
from hemline.forecast.v1 import forecast_service_pb2 as pb
from hemline.forecast.v1 import forecast_service_pb2_grpc as pb_grpc

from cli import charts, forecast_totals, forecast_trends, forecast_why, output
from cli.pages import pages
from cli.problems import report_errors
from cli.session import sign_in

RUN_SECONDS = 600.0
MOST_PER_PAGE = 200

User = Annotated[str, typer.Option(help="Whose forecasts: the e-mail of an account.")]
Json = Annotated[bool, typer.Option("--json", help="The answer as JSON.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="How many to show.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Run and read forecasts.", no_args_is_help=True)
    group.command("run")(run)
    group.command("list")(list_)
    group.command("get")(get)
    group.command("trending")(trending)
    forecast_totals.register(group)
    forecast_why.register(group)
    forecast_trends.register(group)
    app.add_typer(group, name="forecast")


def run(
    *,
    user: User,
    horizon_days: Annotated[int, typer.Option(min=1, max=91, help="Days to forecast.")] = 28,
    as_json: Json = False,
) -> None:
    """Forecast every series anew."""
    request = pb.CreateForecastRunRequest(horizon_days=horizon_days, request_id=str(uuid4()))
    with _service(user) as stub:
        found = stub.CreateForecastRun(request, timeout=RUN_SECONDS).forecast_run
    if as_json:
        output.print_json(output.plain(found))
        return
    figures = [] if isnan(found.coverage) else [f"{found.coverage:.1%} between P10 and P90"]
    figures += [] if isnan(found.wape) else [f"WAPE {found.wape:.3f}"]
    typer.echo(
        f"{found.series:,} series, {found.horizon_days} days after {found.cutoff_date}, "
        f"{found.model}. On held-back days: "
        f"{', '.join(figures) or 'nothing to say, the history is too short'}."
    )
    typer.echo(f"Next: hemline forecast list --user {user}")


def list_(
    *,
    user: User,
    store: Annotated[str, typer.Option(help="Only this store.")] = "-",
    by_name: Annotated[
        bool, typer.Option("--by-name", help="By store and SKU; else best sellers first.")
    ] = False,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List forecasts, best sellers first."""
    request = pb.ListForecastsRequest(
        parent=f"stores/{store.removeprefix('stores/')}",
        order_by="name" if by_name else "horizon_mean_units desc",
    )
    with _service(user) as stub:
        read = [
            *pages(stub.ListForecasts, request, "forecasts", page_size=MOST_PER_PAGE, limit=limit)
        ]
    found = [forecast for page in read for forecast in page.forecasts][:limit]
    forecast_run = read[0].forecast_run
    if as_json:
        forecasts = [output.plain(forecast) for forecast in found]
        output.print_json({"forecast_run": output.plain(forecast_run), "forecasts": forecasts})
        return
    title = (
        f"Units expected in the {forecast_run.horizon_days} days after {forecast_run.cutoff_date}"
    )
    headings = ("Store", "SKU", "?Product", ">Units", ">P10-P90 a day", "Each day")
    output.print_table(title, headings, [_row(forecast) for forecast in found])


def get(
    store: Annotated[str, typer.Argument(help="The store.")],
    sku: Annotated[str, typer.Argument(help="The SKU.")],
    *,
    user: User,
    as_json: Json = False,
) -> None:
    """Show the forecast of one SKU in one store."""
    name = f"stores/{store.removeprefix('stores/')}/forecasts/{sku.upper()}"
    with _service(user) as stub:
        found = stub.GetForecast(pb.GetForecastRequest(name=name)).forecast
    if as_json:
        output.print_json(output.plain(found))
        return
    days = found.days
    typer.echo(
        f"{found.sku} ({found.product}) in {store}: "
        f"{found.horizon_mean_units:.1f} units expected in {len(days)} days.\n"
    )
    typer.echo(
        charts.band_chart(
            [date.fromisoformat(day.date) for day in days],
            [day.p10_units for day in days],
            [day.p50_units for day in days],
            [day.p90_units for day in days],
        )
    )
    typer.echo(f"\n{charts.BAND} P10 to P90   {charts.MEDIAN} median   units a day")


def trending(*, user: User, limit: Limit = 20, as_json: Json = False) -> None:
    """Rank the products whose sales grow most, net of the season."""
    with _service(user) as stub:
        request = pb.ListTrendingProductsRequest()
        method, field = stub.ListTrendingProducts, "trending_products"
        read = [*pages(method, request, field, page_size=MOST_PER_PAGE, limit=limit)]
    found = [product for page in read for product in page.trending_products][:limit]
    if as_json:
        output.print_json({"trending_products": [output.plain(product) for product in found]})
        return
    if not found:
        typer.echo("Nothing to rank: too few sales before the last eight weeks.")
        return
    rows = [
        (
            product.rank,
            product.product,
            f"{product.growth_ratio - 1:+.0%}",
            f"{product.growth_ratio_p10 - 1:+.0%}",
            f"{product.recent_units:,}",
            f"{product.previous_units:,}",
        )
        for product in found
    ]
    headings = (">#", "Product", ">Growth", ">At least (90 %)", ">Last 8 weeks", ">8 before")
    output.print_table("Growing beyond the season", headings, rows)


@contextmanager
def _service(user: str) -> Iterator[Any]:
    with report_errors(), sign_in(user).channel() as channel:
        yield pb_grpc.ForecastServiceStub(channel)


def _row(forecast: pb.Forecast) -> tuple[str, ...]:
    days = forecast.days
    low = sum(day.p10_units for day in days) / max(len(days), 1)
    high = sum(day.p90_units for day in days) / max(len(days), 1)
    return (
        forecast.name.split("/")[1],
        forecast.sku,
        "" if forecast.product == forecast.sku else forecast.product,
        f"{forecast.horizon_mean_units:.1f}",
        f"{low:.1f}-{high:.1f}",
        charts.sparkline([day.mean_units for day in days]),
    )
