"""`hemline forecast explain` and `what-if`: why a forecast is what it is, and what it could be."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any

import typer
from hemline.forecast.v1 import explanation_service_pb2 as pb
from hemline.forecast.v1 import explanation_service_pb2_grpc as pb_grpc
from hemline.forecast.v1 import forecast_service_pb2 as forecast_pb
from hemline.forecast.v1 import forecast_service_pb2_grpc as forecast_grpc

from cli import charts, output
from cli.problems import Problem, report_errors
from cli.session import sign_in

BAR_WIDTH = 30
MICROS = 1_000_000

Store = Annotated[str, typer.Argument(help="The store.")]
Sku = Annotated[str, typer.Argument(help="The SKU.")]
User = Annotated[str, typer.Option(help="Whose forecasts: the e-mail of an account.")]
Json = Annotated[bool, typer.Option("--json", help="The answer as JSON.")]


def register(group: typer.Typer) -> None:
    group.command("explain")(explain)
    group.command("what-if")(what_if)


def explain(store: Store, sku: Sku, *, user: User, as_json: Json = False) -> None:
    """Say what the forecast of one SKU in one store is made of."""
    request = pb.ExplainForecastRequest(name=series_name(store, sku))
    with report_errors(), sign_in(user).channel() as channel:
        stub = pb_grpc.ExplanationServiceStub(channel)
        found = stub.ExplainForecast(request).explanation
    if as_json:
        output.print_json(output.plain(found))
        return
    for sentence in found.sentences:
        typer.echo(sentence)
    typer.echo("")
    top = max((abs(one.units) for one in found.total), default=0.0)
    rows = [
        (_part(one.part), f"{one.units:+,.1f}", _bar(one.units, top), _each_day(found, one.part))
        for one in found.total
    ]
    output.print_table("What adds up to it", ("Part", ">Units", "", "?Each period"), rows)
    typer.echo(f"Next: hemline forecast what-if {store} {sku} --user {user} --no-promotion")


def what_if(  # noqa: PLR0913  # Each is an option of the command line.
    store: Store,
    sku: Sku,
    *,
    user: User,
    start: Annotated[str, typer.Option("--from", help="The first day, YYYY-MM-DD.")] = "",
    end: Annotated[str, typer.Option("--to", help="The last day, YYYY-MM-DD.")] = "",
    price: Annotated[str, typer.Option(help="Try this price of one unit, such as 19.90.")] = "",
    promotion: Annotated[str, typer.Option(help="Try a promotion of this kind.")] = "",
    discount: Annotated[float, typer.Option(min=0, max=0.95, help="Of it: 0.2 is 20 %.")] = 0.0,
    no_promotion: Annotated[
        bool, typer.Option("--no-promotion", help="Try without any promotion.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Forecast one SKU in one store again under another plan. Nothing is stored."""
    with report_errors():
        change = _change(price, promotion, discount, no_promotion=no_promotion)
        with sign_in(user).channel() as channel:
            name = series_name(store, sku)
            first, last = (start, end) if start and end else horizon(channel)
            change.start_date, change.end_date = start or first, end or last
            request = pb.SimulateForecastRequest(name=name, changes=[change])
            found = pb_grpc.ExplanationServiceStub(channel).SimulateForecast(request)
    if as_json:
        output.print_json(output.plain(found))
        return
    planned = sum(day.mean_units for day in found.planned.days)
    typer.echo(
        f"{planned + found.difference_units:,.1f} units instead of {planned:,.1f} "
        f"({found.difference_units:+,.1f}).\n"
    )
    days = found.simulated.days
    typer.echo(
        charts.band_chart(
            [date.fromisoformat(day.date) for day in days],
            [day.p10_units for day in days],
            [day.p50_units for day in days],
            [day.p90_units for day in days],
        )
    )
    for note in found.notes:
        typer.echo(f"Note: {note}")


def series_name(store: str, sku: str) -> str:
    return f"stores/{store.removeprefix('stores/')}/forecasts/{sku.upper()}"


def _change(price: str, promotion: str, discount: float, *, no_promotion: bool) -> pb.PlanChange:
    if sum((bool(price), bool(promotion), no_promotion)) != 1:
        raise Problem("nothing to try", "give one of --price, --promotion and --no-promotion")
    if price:
        try:
            return pb.PlanChange(unit_price_micros=int(Decimal(price) * MICROS))
        except (ArithmeticError, ValueError):
            raise Problem("--price is no number", "such as 19.90") from None
    if promotion:
        return pb.PlanChange(promotion_kind=promotion, discount_share=discount)
    return pb.PlanChange(no_promotion=True)


def horizon(channel: Any) -> tuple[str, str]:
    """The first and last day that are forecast."""
    request = forecast_pb.ListForecastsRequest(page_size=1)
    run = forecast_grpc.ForecastServiceStub(channel).ListForecasts(request).forecast_run
    cutoff = date.fromisoformat(run.cutoff_date)
    return str(cutoff + timedelta(days=1)), str(cutoff + timedelta(days=run.horizon_days))


def _part(part: int) -> str:
    name = pb.ForecastPart.Name(pb.ForecastPart.ValueType(part))
    return name.removeprefix("FORECAST_PART_").lower().replace("_", " ")


def _bar(units: float, top: float) -> str:
    length = round(BAR_WIDTH * abs(units) / top) if top else 0
    return ("█" if units > 0 else "░") * length


def _each_day(found: pb.Explanation, part: int) -> str:
    units = [
        sum(abs(one.units) for one in period.components if one.part == part)
        for period in found.periods
    ]
    return charts.sparkline(units)
