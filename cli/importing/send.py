"""Streams checked lines to the services of the tenant's home region."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import uuid4

import grpc
from google.protobuf.message import Message
from hemline.forecast.v1 import sales_service_pb2 as sales_pb
from hemline.forecast.v1 import sales_service_pb2_grpc as sales_grpc
from hemline.inventory.v1 import inventory_service_pb2 as stock_pb
from hemline.inventory.v1 import inventory_service_pb2_grpc as stock_grpc

from cli.importing import fields
from cli.importing.check import Checked
from cli.importing.columns import Columns
from cli.importing.faults import Fault
from cli.importing.fields import Field
from cli.importing.lines import Lines, Options, SalesLines, StockLines
from cli.output import Report
from cli.problems import details_of

SECONDS_PER_IMPORT = 900.0
REJECTED = "IMPORT_REJECTED"
FIELD_NAMES = {"sale_date": "date", "unit_price_micros": "price", "on_hand_units": "units"}


@dataclass(frozen=True, slots=True)
class Kind:
    """What is imported."""

    name: str
    fields: tuple[Field, ...]
    most_lines: int  # As the contract has it.
    request: Any  # The message class of the stream.
    lines: Callable[[Columns, Options, date], Lines]
    method: Callable[[grpc.Channel], Any]


SALES = Kind(
    name="sales",
    fields=fields.SALES,
    most_lines=2_000_000,
    request=sales_pb.ImportSalesRequest,
    lines=SalesLines,
    method=lambda channel: sales_grpc.SalesServiceStub(channel).ImportSales,
)
STOCK = Kind(
    name="stock",
    fields=fields.STOCK,
    most_lines=200_000,
    request=stock_pb.ImportStockRequest,
    lines=lambda columns, options, _: StockLines(columns, options),
    method=lambda channel: stock_grpc.InventoryServiceStub(channel).ImportStock,
)


def send(kind: Kind, checked: Checked, channel: grpc.Channel, report: Report) -> Message:
    """Sends all lines and returns the answer: all of them are durable, or none.

    The `request_id` is new for each run, so that the answer tells what this run has changed. That
    the same file changes nothing the second time does not depend on it: the services know sales
    lines by document and SKU, and a level that agrees with its count does not move.

    Raises:
        grpc.RpcError: the import failed.
    """
    answer: Message = kind.method(channel)(
        _requests(kind, checked, str(uuid4()), report), timeout=SECONDS_PER_IMPORT
    )
    report(1.0)
    return answer


def _requests(kind: Kind, checked: Checked, request_id: str, report: Report) -> Iterator[Any]:
    for index, message in enumerate(checked.messages):
        request = kind.request.FromString(message)
        if index == 0:
            request.request_id = request_id
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
