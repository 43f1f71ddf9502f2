"""The messages of an import to batches of lines.

What is wrong with a message as a whole raises InvalidArgument at once. What is wrong with a line is
kept, so that one answer tells of all of them.
"""

from datetime import datetime

from hemline.inventory.v1 import inventory_service_pb2 as pb

from services.chassis.errors import FieldViolation, InvalidArgument
from services.chassis.imports import MOST_LINES_PER_MESSAGE, violation
from services.inventory.convert_catalog import MOST_CATEGORY, MOST_COLOUR, MOST_SIZE
from services.inventory.domain_imports import (
    MOST_COUNTED_UNITS,
    MOST_LINES,
    Batch,
    Heading,
    Line,
    Outcome,
)
from services.inventory.fields import Fields


class ImportReader:
    """Reads the messages of one import in order."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._first: pb.ImportStockRequest | None = None
        self._lines = 0
        self._heading: Heading | None = None

    def heading(self) -> Heading:
        """What the first message said. Raises InvalidArgument if there was nothing to import."""
        if self._heading is None:
            raise nothing_sent()
        if not self._lines:
            raise InvalidArgument(FieldViolation("lines", "at least one is needed."))
        return self._heading

    def batch(self, message: pb.ImportStockRequest) -> Batch:
        if self._first is None:
            self._heading = _heading_from(message, self._now)
            self._first = pb.ImportStockRequest(
                request_id=message.request_id, count_time=message.count_time
            )
        else:
            _check_same(message, self._first)
        if len(message.lines) > MOST_LINES_PER_MESSAGE:
            raise InvalidArgument(
                FieldViolation("lines", f"at most {MOST_LINES_PER_MESSAGE} in a message.")
            )
        self._lines += len(message.lines)
        if self._lines > MOST_LINES:
            raise InvalidArgument(FieldViolation("lines", f"at most {MOST_LINES} in an import."))
        return _batch_from(message)


def nothing_sent() -> InvalidArgument:
    return InvalidArgument(FieldViolation("request_id", "needed in the first message."))


def _heading_from(message: pb.ImportStockRequest, now: datetime) -> Heading:
    fields = Fields()
    request_id = fields.request_id(message.request_id)
    count_time = now
    if message.HasField("count_time"):
        count_time = fields.moment(message.count_time, "count_time", now)
    fields.check()
    return Heading(request_id, count_time)


def _check_same(message: pb.ImportStockRequest, first: pb.ImportStockRequest) -> None:
    fields = Fields()
    if message.request_id not in ("", first.request_id):
        fields.refuse("request_id", "must be that of the first message, or empty.")
    if message.HasField("count_time") and message.count_time != first.count_time:
        fields.refuse("count_time", "must be that of the first message, or absent.")
    fields.check()


def _batch_from(message: pb.ImportStockRequest) -> Batch:
    lines = []
    violations: list[FieldViolation] = []
    rejected_lines = 0
    for stated in message.lines:
        fields = Fields()
        line = _line_from(stated, fields)
        if fields.violations:
            rejected_lines += 1
            violations += (violation(line.row, *broken) for broken in fields.violations)
        else:
            lines.append(line)
    return Batch(tuple(lines), tuple(violations), rejected_lines)


def _line_from(line: pb.StockLine, fields: Fields) -> Line:
    if line.row < 1:
        fields.refuse("row", "must be positive.")
    return Line(
        row=line.row,
        store=fields.id(line.store, "store"),
        sku=fields.sku(line.sku, "sku"),
        on_hand_units=fields.count(line.on_hand_units, "on_hand_units", 0, MOST_COUNTED_UNITS),
        style=fields.id(line.style, "style", optional=True),
        colour=fields.text(line.colour, "colour", MOST_COLOUR),
        size=fields.text(line.size, "size", MOST_SIZE),
        category=fields.text(line.category, "category", MOST_CATEGORY),
    )


def outcome_to(outcome: Outcome) -> pb.ImportStockResponse:
    return pb.ImportStockResponse(
        lines=outcome.lines,
        movements=outcome.movements,
        new_skus=outcome.new_skus,
        new_stores=outcome.new_stores,
    )
