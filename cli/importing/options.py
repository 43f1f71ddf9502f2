"""The options that imports share, and what becomes of them."""

import codecs
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.importing import values
from cli.importing.faults import InvalidValue
from cli.importing.lines import Options
from cli.importing.rows import Dialect

File = Annotated[Path, typer.Argument(help="CSV or Parquet.", show_default=False)]
User = Annotated[str | None, typer.Option(help="Who imports. Not needed with --dry-run.")]
KnownAt = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"],
        help="When the plan became known, in UTC; now, if not said. Backtests go by it.",
    ),
]
OptionalFile = Annotated[Path | None, typer.Argument(help="CSV or Parquet.")]
Column = Annotated[
    list[str] | None,
    typer.Option(help="FIELD=HEADER, such as sku=StockCode, where the name says too little."),
]
DateFormat = Annotated[
    str | None, typer.Option(help="As strptime has it, such as '%m/%d/%Y %H:%M'; else ISO 8601.")
]
Encoding = Annotated[str, typer.Option(help="Of a CSV file, such as latin-1 or utf-16.")]
Delimiter = Annotated[str, typer.Option(help="Of a CSV file: one character, or \\t for a tab.")]
Store = Annotated[str | None, typer.Option(help="Where it was, if the file does not say.")]
Pattern = Annotated[
    str | None,
    typer.Option(help="Codes in which this REGEX is not found are no products: left out."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Checks the file and sends nothing.")]
Json = Annotated[bool, typer.Option("--json", help="The result, or the errors, as JSON.")]
MaxErrors = Annotated[int, typer.Option(min=1, max=100_000, help="How many errors to show.")]


def user_of(user: str | None, *, dry_run: bool) -> str | None:
    if user is None and not dry_run:
        raise typer.BadParameter(
            "say who imports, or check the file with --dry-run", param_hint="--user"
        )
    return user


def columns_of(given: list[str] | None) -> tuple[tuple[str, str], ...]:
    pairs = []
    for text in given or ():
        name, equals, header = text.partition("=")
        if not (name.strip() and equals and header.strip()):
            raise typer.BadParameter(f"{text!r} is not FIELD=HEADER", param_hint="--column")
        pairs.append((name.strip(), header.strip()))
    return tuple(pairs)


def dialect_of(encoding: str, delimiter: str) -> Dialect:
    try:
        "".encode(codecs.lookup(encoding).name)
    except LookupError:
        raise typer.BadParameter(
            f"there is no encoding {encoding}", param_hint="--encoding"
        ) from None
    delimiter = "\t" if delimiter in ("\\t", "tab") else delimiter
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise typer.BadParameter("one character, or \\t for a tab", param_hint="--delimiter")
    return Dialect(encoding, delimiter)


def format_of(text: str | None) -> str | None:
    """A format is sound if it reads what it has written."""
    try:
        if text is not None:
            written = datetime(2026, 11, 21, 16, 30, tzinfo=UTC).strftime(text)
            datetime.strptime(written, text)  # noqa: DTZ007 - only whether it can be read
    except (ValueError, re.error) as error:
        raise typer.BadParameter(str(error), param_hint="--date-format") from None
    return text


def store_of(name: str | None) -> str | None:
    try:
        return None if name is None else values.identifier(name)
    except InvalidValue as error:
        raise typer.BadParameter(f"{name!r} {error}", param_hint="--store") from None


def planned(date_format: str | None, store: str | None, known_at: datetime | None) -> Options:
    known_time = None if known_at is None else known_at.replace(tzinfo=UTC)
    if known_time is not None and known_time > datetime.now(UTC):
        raise typer.BadParameter("lies in the future", param_hint="--known-at")
    return Options(format_of(date_format), store_of(store), known_time=known_time)


def pattern_of(text: str | None) -> re.Pattern[str] | None:
    try:
        return None if text is None else re.compile(text)
    except re.error as error:
        raise typer.BadParameter(f"not a REGEX: {error}", param_hint="--product-pattern") from None
