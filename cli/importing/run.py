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
from cli.importing.kinds import SALES, Kind
from cli.importing.lines import Lines, Options, Tally
from cli.importing.rows import Dialect, Source
from cli.importing.send import rejections, send
from cli.importing.source import open_source
from cli.problems import FAILED, report_errors
from cli.session import sign_in

KNOWN_FROM_NOW = (
    "Some of it begins before today, and counts as known from now on: backtests of earlier days do "
    "not see it. --known-at DAY says since when it was known."
)


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
            lines = _lines(request, columns)
            checked = _check(request, source, lines, begin("Checking"))
            answer = None
            if not request.dry_run and request.user:
                answer = _send(request, checked, columns, begin("Sending"))
            found = report.summary(checked, lines.tally, source.blank_rows, answer)
            if _known_too_late(request, lines.tally):
                found["note"] = KNOWN_FROM_NOW
    return {"columns": columns.used, **found}


def _lines(request: Request, columns: Columns) -> Lines:
    try:
        return request.kind.lines(columns, request.options, datetime.now(UTC).date())
    except FileRejected as rejected:
        raise _Refused(list(rejected.faults), len(rejected.faults)) from None


def _columns(request: Request, source: Source) -> Columns:
    try:
        columns = resolve(request.kind.fields, source.header, request.columns)
    except FileRejected as rejected:
        raise _Refused(list(rejected.faults), len(rejected.faults)) from None
    kind = request.kind
    if kind.needs_store and "store" not in columns.index and not request.options.store:
        meaning = next(field.meaning for field in kind.fields if field.name == "store")
        problem = f"no column for store ({meaning})"
        remedy = "say where with --store NAME, or name the column with --column store=HEADER"
        raise _Refused([Fault(problem, remedy, 1)], 1)
    return columns


def _print_columns(request: Request, columns: Columns) -> None:
    store = request.options.store or request.kind.default_store
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
            return send(request.kind, checked, channel, shown, request.options.known_time)
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
    return f"hemline {request.kind.next_command} --user {request.user}"


def _known_too_late(request: Request, tally: Tally) -> bool:
    """Whether some of a plan has begun before it is known, as far as the system is told."""
    today = datetime.now(UTC).date().isoformat()
    planned = request.kind.planned and request.options.known_time is None
    return planned and bool(tally.first_day) and tally.first_day < today
