"""`hemline backtest` forecasts a panel in a file from past cutoffs, and scores what it can."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli import output
from cli.problems import report_errors
from cli.retail import Retail

MOST_HORIZON = 1_000
WEIGHT = "spend"


class Length(StrEnum):
    DAY = "D"
    WEEK = "W"
    MONTH = "M"


class Work(StrEnum):
    LIGHT = "light"
    MIDDLE = "middle"
    FULL = "full"


def register(app: typer.Typer) -> None:
    app.command("backtest")(backtest)


def backtest(  # noqa: PLR0913 - the options of a command
    panel: Annotated[Path, typer.Argument(help="Parquet or CSV with unique_id, ds and y.")],
    *,
    horizon: Annotated[int, typer.Option(min=1, max=MOST_HORIZON, help="Periods to forecast.")],
    cutoffs: Annotated[list[str], typer.Option(help="The last dates that may be seen: D1,D2,...")],
    out: Annotated[Path, typer.Option(help="The forecasts, as Parquet.")],
    known: Annotated[
        list[str] | None,
        typer.Option(help="Columns that are known in advance, such as price,feature."),
    ] = None,
    static: Annotated[
        list[str] | None, typer.Option(help="Columns that say what a series is, such as store.")
    ] = None,
    weight: Annotated[
        str | None, typer.Option(help=f"Revenue, for WRMSSE; {WEIGHT}, where there is one.")
    ] = None,
    period: Annotated[
        Length | None, typer.Option(help="Of a row; told by the dates, if not said.")
    ] = None,
    country: Annotated[
        str, typer.Option(help="Whose public holidays may move sales, such as DE or DE-BE.")
    ] = "",
    retail_calendar: Annotated[
        Retail | None,
        typer.Option(
            help="Months of whole weeks; the year ends on the Saturday nearest to 31 January."
        ),
    ] = None,
    effort: Annotated[Work, typer.Option(help="More of it costs more CPU.")] = Work.FULL,
    seed: Annotated[int, typer.Option(min=0, help="Of what is drawn at random.")] = 0,
    # More than one helps on an idle machine only: on a busy one threads wait for each other by
    # spinning, which has been measured to cost eight times the CPU.
    threads: Annotated[int, typer.Option(min=1, help="Of LightGBM.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="The figures as JSON.")] = False,
) -> None:
    """Forecast a panel from past cutoffs, without a database.

    Writes unique_id, cutoff, ds, mean, p10, p50, p90: for each cutoff the rows of the panel within
    the horizon, or all periods of the horizon for a series that has none there. After a cutoff
    nothing is read but the --known columns, up to the horizon.
    """
    # Arrow, numpy and LightGBM take a second to import, which `hemline --help` has no need of.
    from cli import backtest_report
    from cli.panels import calendars, forecasts, run
    from cli.panels.rows import Columns, read
    from cli.panels.source import Source
    from services.forecast.engine.effort import Effort
    from services.forecast.engine.forecast import Settings

    with report_errors():
        calendar = calendars.calendar(country, retail_calendar)
        settings = Settings(Effort(effort.value), seed, threads, calendar)
        forecasts.check_target(out, panel)
        with output.progress(enabled=not as_json) as begin:
            reading = begin("reading")
            source = Source(panel)
            weighted = weight or (WEIGHT if WEIGHT in source.names else None)
            columns = Columns(_listed(known, source), _listed(static, source), weighted)
            rows = read(source, columns, period)
            calendars.check_dates(calendar, counted=rows.stamps.counted)
            asked = run.cutoffs(_listed(cutoffs), rows)
            length = run.period_of(rows, period, asked[0])
            reading(1.0)
            done = run.backtest(
                rows, asked, length, horizon, run.engine(settings),
                begin(f"forecasting {len(rows.ids):,} series"),
            )  # fmt: skip
        forecasts.write([each.forecasts for each in done.results.values()], out)
        backtest_report.show(rows, done, out, as_json=as_json)


def _listed(options: Sequence[str] | None, source: object = None) -> list[str]:
    """Names parted by commas, or given one by one; a column's name may hold a comma itself."""
    there = getattr(source, "names", ())
    return [
        name.strip()
        for option in options or ()
        for name in ([option] if option in there else option.split(","))
        if name.strip()
    ]
