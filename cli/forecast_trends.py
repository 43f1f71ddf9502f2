"""`hemline forecast trends`, `popular` and `new`: what is in fashion, and what may become so."""

from typing import Annotated

import typer
from hemline.forecast.v1 import cold_start_service_pb2 as cold_pb
from hemline.forecast.v1 import cold_start_service_pb2_grpc as cold_grpc
from hemline.forecast.v1 import trend_service_pb2 as pb
from hemline.forecast.v1 import trend_service_pb2_grpc as pb_grpc

from cli import charts, output
from cli.pages import pages
from cli.problems import Problem, report_errors
from cli.session import sign_in

MOST_PER_PAGE = 200

User = Annotated[str, typer.Option(help="Whose sales: the e-mail of an account.")]
Json = Annotated[bool, typer.Option("--json", help="The answer as JSON.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="How many to show.")]
GroupBy = Annotated[
    str, typer.Option("--by", help="product, store, or an attribute of SKUs such as colour.")
]
Stores = Annotated[list[str] | None, typer.Option("--store", help="Only this store. Repeatable.")]
Attributes = Annotated[
    list[str] | None,
    typer.Option("--attribute", help="Only SKUs with NAME=VALUE, such as colour=navy. Repeatable."),
]


def register(group: typer.Typer) -> None:
    group.command("trends")(trends)
    group.command("popular")(popular)
    group.command("new")(new)


def trends(
    *,
    user: User,
    by: GroupBy = "product",
    store: Stores = None,
    attribute: Attributes = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """Rank groups of SKUs by how surely they grow, net of the season."""
    with report_errors():
        chosen = pb.SeriesFilter(stores=store or [], attributes=_pairs(attribute))
        request = pb.ListTrendsRequest(group_by=by, filter=chosen)
        with sign_in(user).channel() as channel:
            method = pb_grpc.TrendServiceStub(channel).ListTrends
            read = [*pages(method, request, "trends", page_size=MOST_PER_PAGE, limit=limit)]
    found = [trend for page in read for trend in page.trends][:limit]
    if as_json:
        output.print_json({"trends": [output.plain(trend) for trend in found]})
        return
    rows = [
        (
            trend.rank,
            trend.group,
            pb.TrendState.Name(trend.state).removeprefix("TREND_STATE_").lower(),
            f"{trend.growth_ratio - 1:+.0%}",
            f"{trend.growth_ratio_p10 - 1:+.0%}",
            f"{trend.recent_units:,}",
            f"{trend.previous_units:,}",
            ", ".join(point.date for point in trend.change_points),
        )
        for trend in found
    ]
    headings = (
        *(">#", by.capitalize(), "State", ">Growth", ">At least (90 %)", ">Last 8 weeks"),
        *(">8 before", "?Changed level"),
    )
    output.print_table(f"Growth net of the season, until {read[0].as_of_date}", headings, rows)


def popular(  # noqa: PLR0913  # Each is an option of the command line.
    *,
    user: User,
    by: GroupBy = "product",
    store: Stores = None,
    attribute: Attributes = None,
    days: Annotated[int, typer.Option(min=7, max=730, help="Days looked at.")] = 91,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """Rank groups of SKUs by how fast they sell where and while they can be bought."""
    with report_errors():
        chosen = pb.SeriesFilter(stores=store or [], attributes=_pairs(attribute))
        request = pb.ListPopularProductsRequest(group_by=by, filter=chosen, days=days)
        with sign_in(user).channel() as channel:
            method = pb_grpc.TrendServiceStub(channel).ListPopularProducts
            read = [*pages(method, request, "products", page_size=MOST_PER_PAGE, limit=limit)]
    found = [product for page in read for product in page.products][:limit]
    if as_json:
        output.print_json({"products": [output.plain(product) for product in found]})
        return
    rows = [
        (
            one.rank,
            one.group,
            f"{one.rate:.2f}",
            f"{one.rate_p10:.2f}",
            f"{one.units:,}",
            f"{one.availability_share:.0%}",
        )
        for one in found
    ]
    headings = (">#", by.capitalize(), ">Rate", ">At least (90 %)", ">Units", ">On the shelf")
    output.print_table(f"Rate of sale; 1 is average, until {read[0].as_of_date}", headings, rows)


def new(  # noqa: PLR0913 - the options of a command
    *,
    user: User,
    attribute: Attributes = None,
    store: Stores = None,
    like: Annotated[
        list[str] | None,
        typer.Option("--like", help="Learn from PRODUCT=WEIGHT in place of others. Repeatable."),
    ] = None,
    size: Annotated[
        list[str] | None,
        typer.Option("--size", help="That it comes in, in place of all. Repeatable."),
    ] = None,
    weeks: Annotated[int, typer.Option(min=1, max=52, help="Weeks from the launch.")] = 13,
    as_json: Json = False,
) -> None:
    """Forecast a product that never sold, from what is like it."""
    with report_errors():
        weights = {product: _weight(value) for product, value in _pairs(like).items()}
        request = cold_pb.ForecastNewProductRequest(
            attributes=_pairs(attribute),
            stores=store or [],
            horizon_weeks=weeks,
            sizes=size or [],
            analogues=[cold_pb.Analogue(product=name, weight=weights[name]) for name in weights],
        )
        with sign_in(user).channel() as channel:
            found = cold_grpc.ColdStartServiceStub(channel).ForecastNewProduct(request)
    if as_json:
        output.print_json(output.plain(found))
        return
    _show_new(found, weeks)


def _show_new(found: cold_pb.ForecastNewProductResponse, weeks: int) -> None:
    rows = [
        (
            one.store,
            f"{one.mean_units:,.1f}",
            f"{one.p10_units:,.0f}-{one.p90_units:,.0f}",
            charts.sparkline(one.weekly_mean_units),
        )
        for one in found.forecasts
    ]
    headings = ("Store", ">Units", ">P10-P90", "Each week")
    output.print_table(f"Expected in {weeks} weeks", headings, rows)
    compared = [
        (one.product, f"{one.weight:.0%}", f"{one.similarity:.0%}") for one in found.analogues
    ]
    output.print_table("Learnt from", ("Product", ">Weight", ">In common"), compared)
    sizes = [(one.size, f"{one.share:.0%}", f"{one.mean_units:,.1f}") for one in found.sizes]
    if sizes:
        output.print_table("By size", ("Size", ">Share", ">Units"), sizes)


def _pairs(given: list[str] | None) -> dict[str, str]:
    found = {}
    for text in given or []:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise Problem(f"{text}: not NAME=VALUE", "such as colour=navy")
        found[name] = value
    return found


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise Problem(f"{text}: not a weight", "such as --like coat-1=2") from None
