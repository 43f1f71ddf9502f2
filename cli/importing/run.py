"""One import, from the file to the summary."""

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import typer
from google.protobuf.message import Message

from cli import output
from cli.importing import report
from cli.importing.check import Checked, Reading
from cli.importing.columns import Columns, resolve
from cli.importing.faults import Fault, Faults, FileRejected
from cli.importing.lines import DEFAULT_STORE, Lines, Options
from cli.importing.rows import Dialect, Source
from cli.importing.send import SALES, STOCK, Kind, rejections, send
from cli.importing.source import open_source
from cli.problems import FAILED, report_errors
from cli.session import sign_in


@dataclass(frozen=True, slots=True)
class Request:
    """What the person asked for."""

    kind: Kind
    file: Path
    user: str | None  # Needed unless it is a dry run.
    columns: tuple[tuple[str, str], ...]
    dialect: Dialect
    options: Options
    dry_run: bool
    as_json: bool
    max_errors: int


class _Refused(Exception):
    def __init__(self, faults: list[Fault], total: int) -> None:
        super().__init__(f"{total} faults")
        self.faults = faults
        self.total = total


def run(request: Request) -> None:
    """Imports the file.

    Raises:
        typer.Exit: something is wrong, and nothing was changed.
    """
    with report_errors():
        try:
            found = _run(request)
        except _Refused as refused:
            _say(request, refused)
            raise typer.Exit(FAILED) from None
    next_step = _next_step(request)
    if request.as_json:
        output.print_json({"file": request.file.name, **found, "next": next_step})
    else:
        report.print_summary(found, next_step)


def _run(request: Request) -> dict[str, Any]:
    with output.progress(enabled=not request.as_json) as begin:
        try:
            source = open_source(request.file, request.dialect)
        except FileRejected as rejected:
            raise _Refused(list(rejected.faults), len(rejected.faults)) from None
        with contextlib.closing(source):
            columns = _columns(request, source)
            if not request.as_json:
                _print_columns(request, columns)
            lines = request.kind.lines(columns, request.options, datetime.now(UTC).date())
            checked = _check(request, source, lines, begin("Checking"))
            answer = None
            if not request.dry_run and request.user:
                answer = _send(request, checked, columns, begin("Sending"))
            found = report.summary(checked, lines.tally, source.blank_rows, answer)
    return {"columns": columns.used, **found}


def _columns(request: Request, source: Source) -> Columns:
    try:
        columns = resolve(request.kind.fields, source.header, request.columns)
    except FileRejected as rejected:
        raise _Refused(list(rejected.faults), len(rejected.faults)) from None
    # Sales of one shop need no store; a count must not end up in a place that nobody named.
    if request.kind is STOCK and "store" not in columns.index and not request.options.store:
        problem = "no column for store (where it was counted)"
        remedy = "say where with --store NAME, or name the column with --column store=HEADER"
        raise _Refused([Fault(problem, remedy, 1)], 1)
    return columns


def _print_columns(request: Request, columns: Columns) -> None:
    store = request.options.store or DEFAULT_STORE
    text = report.columns_text(columns, store, sells=request.kind is SALES)
    output.console(stderr=True).print(text, markup=False)


def _check(request: Request, source: Source, lines: Lines, shown: output.Report) -> Checked:
    faults = Faults(request.max_errors)
    reading = Reading(source, lines, request.kind.request, request.kind.most_lines)
    checked = reading.run(faults, shown)
    if faults.total:
        raise _Refused(faults.kept, faults.total)
    return checked


def _send(request: Request, checked: Checked, columns: Columns, shown: output.Report) -> Message:
    with sign_in(request.user or "").channel() as channel:
        try:
            return send(request.kind, checked, channel, shown)
        except grpc.RpcError as error:
            rejected = rejections(error, columns)
            if rejected is None:
                raise
            raise _Refused(*rejected) from None


def _say(request: Request, refused: _Refused) -> None:
    if request.as_json:
        faults = refused.faults[: request.max_errors]
        output.print_json(report.faults_json(request.file.name, faults, refused.total))
    else:
        output.console(stderr=True).print(f"{request.file.name}:", style="bold", markup=False)
        report.print_faults(refused.faults, refused.total, request.max_errors)


def _next_step(request: Request) -> str:
    if request.dry_run:
        return "the same command without --dry-run"
    command = "forecast run" if request.kind is SALES else "stock"
    return f"hemline {command} --user {request.user}"
