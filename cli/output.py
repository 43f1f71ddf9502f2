"""What commands print: tables and JSON on standard output, progress on standard error.

Colours follow NO_COLOR, and are left out where nobody is looking.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

WIDTH = 200  # Where there is no terminal to ask.
MOST_WIDTH = 1_000

Report = Callable[[float], None]
"""Takes the share that is done, 0 to 1."""


def console(*, stderr: bool = False) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    return Console(
        file=stream, width=None if stream.isatty() else WIDTH, highlight=False, soft_wrap=True
    )


def print_json(data: Any) -> None:
    typer.echo(json.dumps(data, indent=2, ensure_ascii=False))


def plain(message: Message) -> dict[str, Any]:
    """A message as plain data, under the contract's own field names, empty fields included."""
    return MessageToDict(
        message, always_print_fields_with_no_presence=True, preserving_proto_field_name=True
    )


def print_table(title: str, headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Prints a table.

    Args:
        title: stands above it.
        headings: `>` before one aligns its column right; `?` before one gives its column up where
            the screen is too narrow for all.
        rows: plain text, whatever brackets it holds; a rich `Text` may have a colour.
    """
    screen = console()
    table = _table(title, headings, rows)
    wide = screen.options.update(max_width=MOST_WIDTH)
    if screen.measure(table, options=wide).maximum > screen.width:
        kept = [index for index, heading in enumerate(headings) if not heading.startswith("?")]
        narrow = [[row[index] for index in kept] for row in rows]
        table = _table(title, [headings[index] for index in kept], narrow)
    screen.print(table)


def _table(title: str, headings: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    table = Table(
        title=escape(title), title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0)
    )
    for heading in headings:
        right = heading.startswith(">")
        label = Text(heading.lstrip(">?"))
        table.add_column(label, justify="right" if right else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
    return table


@contextmanager
def progress(*, enabled: bool = True) -> Iterator[Callable[[str], Report]]:
    """Bars on standard error, where it is a terminal. Call it with a label for each step."""
    screen = console(stderr=True)
    columns = (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=screen, disable=not (enabled and screen.is_terminal)) as bars:

        def begin(label: str) -> Report:
            task = bars.add_task(label, total=1.0)
            return lambda share: bars.update(task, completed=share)

        yield begin
