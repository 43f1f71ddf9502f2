"""Reads a whole file and checks every row, before anything is sent."""

from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message

from cli.importing.faults import Fault, Faults, FileRejected
from cli.importing.lines import Lines
from cli.importing.rows import Source
from cli.output import Report

LINES_PER_MESSAGE = 1_000
ROWS_PER_REPORT = 2_000


@dataclass(slots=True)
class Checked:
    """What may be sent: messages as bytes, some 70 a line, since a file may have 2,000,000."""

    messages: list[bytes] = field(default_factory=list)
    lines: int = 0
    rows: int = 0  # Read, whatever became of them. Blank ones and the header are not counted.


class Reading:
    """One pass over a file. ``batch`` is the message that carries the lines."""

    def __init__(self, source: Source, lines: Lines, batch: type[Message], most_lines: int) -> None:
        self._source = source
        self._lines = lines
        self._batch = batch
        self._most_lines = most_lines
        self._checked = Checked()

    def run(self, faults: Faults, report: Report) -> Checked:
        """Reads all rows. What is wrong goes to ``faults``; then nothing may be sent."""
        try:
            self._run(faults, report)
        except FileRejected as rejected:
            faults.add(*rejected.faults)
        if not faults.total and not self._checked.lines:
            faults.add(Fault("there is no row to import", "see what was left out, if anything"))
        report(1.0)
        return self._checked

    def _run(self, faults: Faults, report: Report) -> None:
        pending: list[Any] = []
        for row in self._source.rows(self._lines.wanted):
            self._checked.rows += 1
            if self._checked.rows % ROWS_PER_REPORT == 0:
                report(self._source.share_read)
            if isinstance(row, Fault):
                faults.add(row)
                continue
            made = self._lines.line(row.number, row.cells)
            if isinstance(made, list):
                faults.add(*made)
            elif made is not None:
                pending.append(made)
                self._count()
            if len(pending) == LINES_PER_MESSAGE:
                self._flush(pending, faults)
        self._flush(pending, faults)

    def _count(self) -> None:
        self._checked.lines += 1
        if self._checked.lines > self._most_lines:
            limit = Fault(f"more than {self._most_lines:,} lines", "split the file in two")
            raise FileRejected(limit)

    def _flush(self, pending: list[Any], faults: Faults) -> None:
        """Packs the lines, unless they will not be sent anyway."""
        if pending and not faults.total:
            self._checked.messages.append(self._batch(lines=pending).SerializeToString())
        pending.clear()
