"""`hemline seed` loads a simulated season into a tenant; `hemline season` writes one to files."""

from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import output
from cli.problems import report_errors
from cli.season_load import Seeded, seed
from season import Season, SeasonConfig, files, simulate
from season.presets import PRESETS, retailer


class Format(StrEnum):
    CSV = "csv"
    PARQUET = "parquet"


Number = Annotated[int, typer.Option("--seed", min=0, help="Of the random numbers.")]
Weeks = Annotated[int, typer.Option(min=1, max=520, help="Length of the season.")]
Json = Annotated[bool, typer.Option("--json", help="The result as JSON.")]


def register(app: typer.Typer) -> None:
    app.command("seed")(seed_tenants)
    app.command("season")(write_season)


def seed_tenants(
    *,
    tenant: Annotated[
        str | None, typer.Option(help="The retailer; both demo retailers, if none is named.")
    ] = None,
    user: Annotated[
        str | None, typer.Option(help="Who loads it; planner@TENANT.example, if not said.")
    ] = None,
    seed_number: Number = 1,
    weeks: Weeks = 60,
    as_json: Json = False,
) -> None:
    """Load a simulated fashion season: stores, stock, sales, and a first forecast.

    A tenant that has a forecast already is left alone.
    """
    if user and not tenant:
        raise typer.BadParameter("say which retailer, too", param_hint="--tenant")
    tenants = [tenant] if tenant else list(PRESETS)
    with report_errors():
        _known(tenants)
        with output.progress(enabled=not as_json) as begin:
            done = [
                seed(
                    user or f"planner@{name}.example",
                    name,
                    seed_number=seed_number,
                    weeks=weeks,
                    begin=begin,
                )
                for name in tenants
            ]
    if as_json:
        output.print_json([asdict(seeded) for seeded in done])
        return
    for seeded in done:
        typer.echo(_sentence(seeded))


def write_season(  # noqa: PLR0913 - the options of a command
    *,
    out: Annotated[Path, typer.Option(help="The folder for the files; made if need be.")],
    name: Annotated[
        str, typer.Option("--retailer", help="A preset, or any other name.")
    ] = "atelier-nord",
    seed_number: Number = 1,
    weeks: Weeks = 60,
    end_date: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Its last day; yesterday.")
    ] = None,
    stores: Annotated[int, typer.Option(help="How many.")] = 6,
    styles: Annotated[int, typer.Option(help="How many.")] = 16,
    stock_out_share: Annotated[
        float, typer.Option(help="Of days on sale that end with an empty shelf.")
    ] = 0.08,
    file_format: Annotated[Format, typer.Option("--format")] = Format.PARQUET,
    as_json: Json = False,
) -> None:
    """Write a simulated season to files: sales, stock, promotions, and the true demand."""
    try:
        config = SeasonConfig(
            retailer=retailer(name),
            end_date=end_date.date() if end_date else _yesterday(),
            seed=seed_number,
            weeks=weeks,
            stores=stores,
            styles=styles,
            stock_out_share=stock_out_share,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    season = simulate(config)
    paths = files.write(season, out, file_format.value)
    facts = _facts(season)
    if as_json:
        output.print_json({**facts, "files": [str(path) for path in paths]})
        return
    output.print_table(
        f"Season of {name}",
        ("", ">"),
        [(key.replace("_", " "), value) for key, value in facts.items()],
    )
    for path in paths:
        typer.echo(str(path))


def _known(tenants: list[str]) -> None:
    for name in tenants:
        try:
            SeasonConfig(retailer=retailer(name), end_date=_yesterday())
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--tenant") from None


def _yesterday() -> date:
    return datetime.now(UTC).date() - timedelta(days=1)


def _sentence(seeded: Seeded) -> str:
    if seeded.already:
        return (
            f"{seeded.tenant}: has a forecast from sales to {seeded.end_date} already; left alone."
        )
    return (
        f"{seeded.tenant}: {seeded.sales_lines:,} sales lines to {seeded.end_date} "
        f"({seeded.new_sales_lines:,} new), {seeded.series:,} stock levels, "
        f"{seeded.forecast_series:,} forecasts."
    )


def _facts(season: Season) -> dict[str, Any]:
    truth = season.truth
    return {
        "first_day": season.days[0].isoformat(),
        "last_day": season.days[-1].isoformat(),
        "stores": len(season.stores),
        "styles": len(season.catalog.styles),
        "skus": len(season.catalog.skus),
        "series": len(season.series),
        "promotions": len(season.promotions),
        "sale_lines": len(season.sales),
        "expected_units": round(float(truth.expected.sum()), 1),
        "demand_units": int(truth.demand.sum()),
        "sold_units": int(truth.sold.sum()),
        "stock_out_share": round(truth.stock_out_share, 4),
        "lost_share": round(truth.lost_share, 4),
    }
