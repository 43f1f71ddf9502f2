"""`hemline import calendar`: events and closed days, from a file or by a country's name."""

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, date, datetime, time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from cli.importing.kinds import CALENDAR
from cli.importing.options import (
    Column,
    DateFormat,
    Delimiter,
    DryRun,
    Encoding,
    Json,
    KnownAt,
    MaxErrors,
    OptionalFile,
    Store,
    User,
    columns_of,
    dialect_of,
    planned,
    user_of,
)
from cli.importing.run import Request, run
from cli.importing.values import FIRST_DATE, PLANNED_AHEAD
from cli.problems import report_errors
from cli.retail import Retail

DAY = ["%Y-%m-%d"]
PAST_YEARS = 4  # What the service reads.
OF_A_FILE = {
    "column": "--column",
    "date_format": "--date-format",
    "encoding": "--encoding",
    "delimiter": "--delimiter",
}
OF_NO_FILE = {"closed": "--closed", "first": "--from", "last": "--to"}


def register(group: typer.Typer) -> None:
    group.command("calendar")(calendar)


def calendar(  # noqa: PLR0913 - the options of a command
    context: typer.Context,
    file: OptionalFile = None,
    *,
    country: Annotated[
        str, typer.Option(help="In place of a file: public holidays of DE, or DE-BE.")
    ] = "",
    retail_calendar: Annotated[
        Retail | None,
        typer.Option(
            help="In place of a file: months of whole weeks; the year ends on the Sunday nearest "
            "to 31 January."
        ),
    ] = None,
    closed: Annotated[
        bool, typer.Option("--closed", help="With --country: stores are closed on holidays.")
    ] = False,
    first: Annotated[
        datetime | None, typer.Option("--from", formats=DAY, help="The first day of both.")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=DAY, help="The last one.")
    ] = None,
    user: User = None,
    known_at: KnownAt = None,
    column: Column = None,
    date_format: DateFormat = None,
    encoding: Encoding = "utf-8",
    delimiter: Delimiter = ",",
    store: Store = None,
    dry_run: DryRun = False,
    as_json: Json = False,
    max_errors: MaxErrors = 20,
) -> None:
    """Adds events and closed days, of one store or of all. What was known before is kept.

    Without a file: what --country and --retail-calendar stand for, four past years and the next one
    unless --from and --to say otherwise, known from the first of its days on.
    """
    _check_options(context, file, country or retail_calendar, closing=closed and not country)
    who = user_of(user, dry_run=dry_run)
    with ExitStack() as stack:
        stack.enter_context(report_errors())
        if file is None:
            folder = Path(stack.enter_context(TemporaryDirectory()))
            start, end = _span(first, last)
            file = _written(folder, country, retail_calendar, (start, end), closed=closed)
            known_at = known_at or min(datetime.combine(start, time()), _now())
        run(
            Request(
                kind=CALENDAR,
                file=file,
                user=who,
                columns=columns_of(column),
                dialect=dialect_of(encoding, delimiter),
                options=planned(date_format, store, known_at),
                dry_run=dry_run,
                as_json=as_json,
                max_errors=max_errors,
            )
        )


def _check_options(
    context: typer.Context, file: Path | None, made_of: str | None, *, closing: bool
) -> None:
    """Raises BadParameter unless the options go with a file, or with what is ``made_of`` none.

    ``closing`` is whether stores are to close on holidays of no country.
    """
    if (file is None) != bool(made_of):
        hint = "FILE" if file is None else "--country"
        raise typer.BadParameter(
            "give a file, or --country or --retail-calendar without one", param_hint=hint
        )
    if file is None:
        _refuse(context, OF_A_FILE, "says how a file is written: leave it out, or give a file")
    else:
        _refuse(context, OF_NO_FILE, "goes without a file only: the file says it")
    if closing:
        raise typer.BadParameter("needs --country, whose holidays close", param_hint="--closed")


def _refuse(context: typer.Context, options: Mapping[str, str], why: str) -> None:
    """Raises BadParameter for the first of ``options`` that was given."""
    for name, option in options.items():
        source = context.get_parameter_source(name)
        if source is not None and source.name != "DEFAULT":
            raise typer.BadParameter(why, param_hint=option)


def _written(
    folder: Path, country: str, retail: str | None, span: tuple[date, date], *, closed: bool
) -> Path:
    # numpy and the holidays of the world take a second to import: files have no need of it.
    from cli.importing import calendars

    return calendars.write(calendars.Wanted(country, retail, *span, closed), folder)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _span(first: datetime | None, last: datetime | None) -> tuple[date, date]:
    this = _now().year
    start = first.date() if first else date(this - PAST_YEARS, 1, 1)
    end = last.date() if last else date(this + 1, 12, 31)
    if start < FIRST_DATE:
        raise typer.BadParameter(f"lies before {FIRST_DATE}", param_hint="--from")
    if end > _now().date() + PLANNED_AHEAD:
        raise typer.BadParameter("lies too far in the future", param_hint="--to")
    if end < start:
        raise typer.BadParameter("lies after the last day", param_hint="--from")
    return start, end
