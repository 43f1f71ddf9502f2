"""`hemline import promotions`, `attributes` and `stock-days`."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.importing import fields_plans, from_inventory
from cli.importing.fields import Field
from cli.importing.kinds import ATTRIBUTES, PROMOTIONS, STOCK_DAYS, Kind
from cli.importing.lines import Options
from cli.importing.options import (
    Column,
    DateFormat,
    Delimiter,
    DryRun,
    Encoding,
    File,
    Json,
    KnownAt,
    MaxErrors,
    OptionalFile,
    Store,
    User,
    columns_of,
    dialect_of,
    format_of,
    planned,
    store_of,
    user_of,
)
from cli.importing.run import Request, run

HISTORY_DAYS = 400

FromInventory = Annotated[
    bool, typer.Option("--from-inventory", help="Reads the inventory instead of a file.")
]


class Of(StrEnum):
    SKU = "sku"
    STORE = "store"


def register(group: typer.Typer) -> None:
    group.command("promotions")(promotions)
    group.command("attributes")(attributes)
    group.command("stock-days")(stock_days)


def promotions(  # noqa: PLR0913 - the options of a command
    file: File,
    *,
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
    """Adds promotions, or new versions of them. What was known before is kept.

    What is promoted is the SKU, product, style or category that a row names, the finest of them; *
    is everything, and so is a file without any such column.
    """
    run(
        Request(
            kind=PROMOTIONS,
            file=file,
            user=user_of(user, dry_run=dry_run),
            columns=columns_of(column),
            dialect=dialect_of(encoding, delimiter),
            options=planned(date_format, store, known_at),
            dry_run=dry_run,
            as_json=as_json,
            max_errors=max_errors,
        )
    )


def attributes(  # noqa: PLR0913 - the options of a command
    file: OptionalFile = None,
    *,
    inventory: FromInventory = False,
    of: Annotated[Of, typer.Option(help="What the rows describe.")] = Of.SKU,
    user: User = None,
    column: Column = None,
    encoding: Encoding = "utf-8",
    delimiter: Delimiter = ",",
    dry_run: DryRun = False,
    as_json: Json = False,
    max_errors: MaxErrors = 20,
) -> None:
    """Says what SKUs or stores are: style, colour, category; region, country.

    Any other attribute is named with --column: `--column fit=Fit` makes one called fit. Style,
    colour, size and category of SKUs can be read from the inventory's catalogue instead.
    """
    who = _either(file, user, inventory=inventory, dry_run=dry_run)
    if file is None:
        from_inventory.attributes(who or "", dry_run=dry_run, as_json=as_json)
        return
    given = columns_of(column)
    run(
        Request(
            kind=_with_attributes(of, given),
            file=file,
            user=who,
            columns=given,
            dialect=dialect_of(encoding, delimiter),
            options=Options(),
            dry_run=dry_run,
            as_json=as_json,
            max_errors=max_errors,
        )
    )


def stock_days(  # noqa: PLR0913 - the options of a command
    file: OptionalFile = None,
    *,
    inventory: FromInventory = False,
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="Its first day.")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Its last; yesterday.")
    ] = None,
    user: User = None,
    column: Column = None,
    date_format: DateFormat = None,
    encoding: Encoding = "utf-8",
    delimiter: Delimiter = ",",
    store: Store = None,
    dry_run: DryRun = False,
    as_json: Json = False,
    max_errors: MaxErrors = 20,
) -> None:
    """Says what was on the shelf when days ended, so that empty shelves do not read as no demand.

    A day without a row has the level of the last row before it. The ledger is read for the last 400
    days, unless --from says otherwise.
    """
    who = _either(file, user, inventory=inventory, dry_run=dry_run)
    if file is None:
        span = _period(first, last)
        from_inventory.stock_days(who or "", *span, dry_run=dry_run, as_json=as_json)
        return
    run(
        Request(
            kind=STOCK_DAYS,
            file=file,
            user=who,
            columns=columns_of(column),
            dialect=dialect_of(encoding, delimiter),
            options=Options(format_of(date_format), store_of(store)),
            dry_run=dry_run,
            as_json=as_json,
            max_errors=max_errors,
        )
    )


def _either(file: Path | None, user: str | None, *, inventory: bool, dry_run: bool) -> str | None:
    """Who imports. The inventory is read as somebody, even if nothing is sent."""
    if inventory == (file is not None):
        raise typer.BadParameter("give either a FILE or --from-inventory", param_hint="FILE")
    return user_of(user, dry_run=dry_run and not inventory)


def _with_attributes(of: Of, given: tuple[tuple[str, str], ...]) -> Kind:
    known = fields_plans.OF_SKUS if of is Of.SKU else fields_plans.OF_STORES
    others: list[Field] = []
    for name, _ in given:
        if any(field.recognises(name) for field in known):
            continue
        if not fields_plans.may_name(name):
            raise typer.BadParameter(
                f"{name!r} is no name of an attribute: 1-63 of a-z, 0-9 and hyphens, and not one "
                f"of {', '.join(fields_plans.TAKEN)}",
                param_hint="--column",
            )
        others.append(fields_plans.attribute_of(name))
    return replace(ATTRIBUTES, fields=(*known, *others))


def _period(first: datetime | None, last: datetime | None) -> tuple[date, date]:
    end = last.date() if last else datetime.now(UTC).date() - timedelta(days=1)
    start = first.date() if first else end - timedelta(days=HISTORY_DAYS - 1)
    if end < start:
        raise typer.BadParameter("lies after the last day", param_hint="--from")
    return start, end
