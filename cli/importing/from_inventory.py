"""Carries stock days from the inventory service to the forecast service.

Services hold no tokens of users, so neither may call the other as one: the user's own command does.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import grpc
from hemline.forecast.v1 import stock_day_service_pb2 as stock_day_pb
from hemline.inventory.v1 import inventory_service_pb2 as stock_pb
from hemline.inventory.v1 import inventory_service_pb2_grpc as stock_grpc

from cli import output
from cli.importing import report
from cli.importing.check import LINES_PER_MESSAGE, Checked
from cli.importing.kinds import STOCK_DAYS
from cli.importing.send import SECONDS_PER_IMPORT, send
from cli.problems import report_errors
from cli.session import sign_in

COUNTS = ("lines", "new_lines", "changed_lines", "known_lines")
DAYS_PER_IMPORT = 28
"""Each span is one import, all or nothing, and is in memory at once: some 70 bytes a level."""


def run(user: str, start: date, end: date, *, dry_run: bool, as_json: bool) -> None:
    """Imports the levels of all days from ``start`` to ``end``.

    Spans that were imported stay if a later one fails; the same command again changes nothing that
    has not changed.

    Raises:
        typer.Exit: a service refuses.
    """
    answer = dict.fromkeys(COUNTS, 0)
    spans = list(_spans(start, end))
    lines = 0
    with (
        report_errors(),
        sign_in(user).channel() as channel,
        output.progress(enabled=not as_json) as begin,
    ):
        shown = begin("Reading and sending")
        for number, (first, last) in enumerate(spans, start=1):
            checked = _read(channel, first, last)
            lines += checked.lines
            if checked.messages and not dry_run:
                done = send(STOCK_DAYS, checked, channel, lambda _: None)
                answer = {name: count + getattr(done, name) for name, count in answer.items()}
            shown(number / len(spans))
    again = "the same command without --dry-run"
    next_step = again if dry_run else f"hemline {STOCK_DAYS.next_command} --user {user}"
    found: dict[str, Any] = {
        "first_day": start.isoformat(),
        "last_day": end.isoformat(),
        "lines": lines,
        "dry_run": dry_run,
    }
    if not dry_run:
        found["answer"] = answer
    if as_json:
        output.print_json({**found, "next": next_step})
    else:
        report.print_carried(found, next_step)


def _spans(start: date, end: date) -> Iterator[tuple[date, date]]:
    while start <= end:
        last = min(start + timedelta(days=DAYS_PER_IMPORT - 1), end)
        yield start, last
        start = last + timedelta(days=1)


def _read(channel: grpc.Channel, first: date, last: date) -> Checked:
    request = stock_pb.StreamStockDaysRequest(
        start_date=first.isoformat(), end_date=last.isoformat()
    )
    stub = stock_grpc.InventoryServiceStub(channel)
    checked = Checked()
    lines: list[stock_day_pb.StockDayLine] = []
    for message in stub.StreamStockDays(request, timeout=SECONDS_PER_IMPORT):
        for day in message.stock_days:
            checked.lines += 1
            lines.append(
                stock_day_pb.StockDayLine(
                    row=checked.lines,
                    store=day.store,
                    sku=day.sku,
                    stock_date=day.stock_date,
                    on_hand_units=day.on_hand_units,
                )
            )
            if len(lines) == LINES_PER_MESSAGE:
                _pack(lines, checked)
    _pack(lines, checked)
    return checked


def _pack(lines: list[stock_day_pb.StockDayLine], checked: Checked) -> None:
    if lines:
        message = stock_day_pb.ImportStockDaysRequest(lines=lines)
        checked.messages.append(message.SerializeToString())
        lines.clear()
