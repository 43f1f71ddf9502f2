"""`hemline import`, and its commands for sales and stock."""

import typer

from cli.importing import command_calendar, commands_plans
from cli.importing.kinds import SALES, STOCK
from cli.importing.lines import Options
from cli.importing.options import (
    Column,
    DateFormat,
    Delimiter,
    DryRun,
    Encoding,
    File,
    Json,
    MaxErrors,
    Pattern,
    Store,
    User,
    columns_of,
    dialect_of,
    format_of,
    pattern_of,
    store_of,
    user_of,
)
from cli.importing.run import Request, run


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Imports files: all of their lines, or none.", no_args_is_help=True)
    group.command("sales")(sales)
    group.command("stock")(stock)
    commands_plans.register(group)
    command_calendar.register(group)
    app.add_typer(group, name="import")


def sales(  # noqa: PLR0913 - the options of a command
    file: File,
    *,
    user: User = None,
    column: Column = None,
    date_format: DateFormat = None,
    encoding: Encoding = "utf-8",
    delimiter: Delimiter = ",",
    store: Store = None,
    product_pattern: Pattern = None,
    dry_run: DryRun = False,
    as_json: Json = False,
    max_errors: MaxErrors = 20,
) -> None:
    """Adds sales lines. Lines that are there already are not added again.

    A minus before the quantity is a return. Only the columns that are named at the start are read:
    what else is in the file, such as customers, stays there.
    """
    run(
        Request(
            kind=SALES,
            file=file,
            user=user_of(user, dry_run=dry_run),
            columns=columns_of(column),
            dialect=dialect_of(encoding, delimiter),
            options=Options(format_of(date_format), store_of(store), pattern_of(product_pattern)),
            dry_run=dry_run,
            as_json=as_json,
            max_errors=max_errors,
        )
    )


def stock(  # noqa: PLR0913 - the options of a command
    file: File,
    *,
    user: User = None,
    column: Column = None,
    encoding: Encoding = "utf-8",
    delimiter: Delimiter = ",",
    store: Store = None,
    product_pattern: Pattern = None,
    dry_run: DryRun = False,
    as_json: Json = False,
    max_errors: MaxErrors = 20,
) -> None:
    """Sets stock levels to what was counted. SKUs with style, colour and size may be new."""
    run(
        Request(
            kind=STOCK,
            file=file,
            user=user_of(user, dry_run=dry_run),
            columns=columns_of(column),
            dialect=dialect_of(encoding, delimiter),
            options=Options(None, store_of(store), pattern_of(product_pattern)),
            dry_run=dry_run,
            as_json=as_json,
            max_errors=max_errors,
        )
    )
