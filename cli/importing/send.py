"""Streams checked lines to the services of the tenant's home region."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import uuid4

import grpc
from google.protobuf.message import Message

from cli.importing.check import Checked
from cli.importing.columns import Columns
from cli.importing.faults import Fault
from cli.importing.kinds import Kind
from cli.output import Report
from cli.problems import details_of
from services.chassis.wire import to_timestamp

SECONDS_PER_IMPORT = 900.0
REJECTED = "IMPORT_REJECTED"
FIELD_NAMES = {
    "sale_date": "date",
    "stock_date": "date",
    "unit_price_micros": "price",
    "price_micros": "price",
    "on_hand_units": "units",
    "start_date": "start",
    "end_date": "end",
    "discount_share": "discount",
}


def send(
    kind: Kind,
    checked: Checked,
    channel: grpc.Channel,
    report: Report,
    known_time: datetime | None = None,
) -> Message:
    """Sends all lines and returns the answer: all of them are durable, or none.

    The `request_id` is new for each run, so that the answer tells what this run has changed. That
    the same file changes nothing the second time does not depend on it: the services know sales
    lines by document and SKU, plans and facts by their keys, and a level that agrees with its count
    does not move.

    Args:
        kind: of the lines.
        checked: the lines.
        channel: to the tenant's home region.
        report: takes the share that was sent.
        known_time: when a plan became known; now, if None.

    Raises:
        grpc.RpcError: the import failed.
    """
    answer: Message = kind.method(channel)(
        _requests(kind, checked, report, known_time), timeout=SECONDS_PER_IMPORT
    )
    report(1.0)
    return answer


def _requests(
    kind: Kind, checked: Checked, report: Report, known_time: datetime | None
) -> Iterator[Any]:
    for index, message in enumerate(checked.messages):
        request = kind.request.FromString(message)
        if index == 0:
            request.request_id = str(uuid4())
            if known_time is not None:
                request.known_time.CopyFrom(to_timestamp(known_time))
        report(index / len(checked.messages))
        yield request


def rejections(error: grpc.RpcError, columns: Columns) -> tuple[list[Fault], int] | None:
    """Reads the rows that the service rejects, and how many there are; None for another error."""
    info, bad_request = details_of(error)
    if info.reason != REJECTED:
        return None
    faults = [_fault(bad.field, bad.description, columns) for bad in bad_request.field_violations]
    total = info.metadata.get("rejected_lines", "")
    return faults, max(int(total) if total.isdigit() else 0, len(faults))


def _fault(path: str, description: str, columns: Columns) -> Fault:
    """`lines[12].units` is the row 12 and the column of the units."""
    row, _, name = path.removeprefix("lines[").partition("].")
    if not row.isdigit():
        return Fault(f"{path}: {description}".rstrip("."))
    column = columns.name(FIELD_NAMES.get(name, name))
    return Fault(description.rstrip("."), row=int(row), column=column)
