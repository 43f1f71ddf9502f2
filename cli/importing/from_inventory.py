"""Carries stock days and attributes from the inventory service to the forecast service.

Services hold no tokens of users, so neither may call the other as one: the user's own command does.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice
from typing import Any

import grpc
from hemline.forecast.v1 import attribute_service_pb2 as attributes_pb
from hemline.forecast.v1 import stock_day_service_pb2 as stock_day_pb
from hemline.inventory.v1 import catalog_service_pb2 as catalog_pb
from hemline.inventory.v1 import catalog_service_pb2_grpc as catalog_grpc
from hemline.inventory.v1 import inventory_service_pb2 as stock_pb
from hemline.inventory.v1 import inventory_service_pb2_grpc as stock_grpc

from cli import output
from cli.importing import report
from cli.importing.check import LINES_PER_MESSAGE, Checked
from cli.importing.kinds import ATTRIBUTES, STOCK_DAYS, Kind
from cli.importing.send import SECONDS_PER_IMPORT, send
from cli.pages import pages
from cli.problems import report_errors
from cli.session import sign_in

STYLES_PER_PAGE = 200
DAYS_PER_IMPORT = 28
"""Each span is one import, all or nothing, and is in memory at once: some 70 bytes a level."""


def stock_days(user: str, start: date, end: date, *, dry_run: bool, as_json: bool) -> None:
    """Imports the levels of all days from ``start`` to ``end``.

    Spans that were imported stay if a later one fails; the same command again changes nothing that
    has not changed.

    Raises:
        typer.Exit: a service refuses.
    """
    span = {"first_day": start.isoformat(), "last_day": end.isoformat()}
    spans = list(_spans(start, end))
    carried = _Carried(STOCK_DAYS, user, dry_run)
    with (
        report_errors(),
        sign_in(user).channel() as channel,
        output.progress(enabled=not as_json) as begin,
    ):
        shown = begin("Reading and sending")
        for number, (first, last) in enumerate(spans, start=1):
            carried.carry(_levels(channel, first, last), channel)
            shown(number / len(spans))
    carried.report(span, as_json=as_json)


def attributes(user: str, *, dry_run: bool, as_json: bool) -> None:
    """Imports style, colour, size and category of all SKUs of the catalogue.

    Raises:
        typer.Exit: a service refuses.
    """
    carried = _Carried(ATTRIBUTES, user, dry_run)
    with (
        report_errors(),
        sign_in(user).channel() as channel,
        output.progress(enabled=not as_json) as begin,
    ):
        shown = begin("Reading and sending")
        carried.carry(_catalogue(channel), channel)
        shown(1.0)
    carried.report({}, as_json=as_json)


class _Carried:
    """What was carried so far."""

    def __init__(self, kind: Kind, user: str, dry_run: bool) -> None:  # noqa: FBT001 - passed on
        self._kind = kind
        self._user = user
        self._dry_run = dry_run
        self._lines = 0
        self._answer: dict[str, int] = {}

    def carry(self, lines: Iterator[Any], channel: grpc.Channel) -> None:
        """Reads all ``lines``, then sends them as one import."""
        checked = Checked()
        while part := list(islice(lines, LINES_PER_MESSAGE)):
            for line in part:
                checked.lines += 1
                line.row = checked.lines
            checked.messages.append(self._kind.request(lines=part).SerializeToString())
        self._lines += checked.lines
        if checked.messages and not self._dry_run:
            done = send(self._kind, checked, channel, lambda _: None)
            for field in done.DESCRIPTOR.fields:
                count = int(getattr(done, field.name))
                self._answer[field.name] = self._answer.get(field.name, 0) + count

    def report(self, facts: dict[str, str], *, as_json: bool) -> None:
        again = "the same command without --dry-run"
        command = f"hemline {self._kind.next_command} --user {self._user}"
        next_step = again if self._dry_run else command
        found: dict[str, Any] = {**facts, "lines": self._lines, "dry_run": self._dry_run}
        if not self._dry_run:
            found["answer"] = self._answer
        if as_json:
            output.print_json({**found, "next": next_step})
        else:
            report.print_carried(found, next_step)


def _spans(start: date, end: date) -> Iterator[tuple[date, date]]:
    while start <= end:
        last = min(start + timedelta(days=DAYS_PER_IMPORT - 1), end)
        yield start, last
        start = last + timedelta(days=1)


def _levels(channel: grpc.Channel, first: date, last: date) -> Iterator[stock_day_pb.StockDayLine]:
    request = stock_pb.StreamStockDaysRequest(
        start_date=first.isoformat(), end_date=last.isoformat()
    )
    stub = stock_grpc.InventoryServiceStub(channel)
    for message in stub.StreamStockDays(request, timeout=SECONDS_PER_IMPORT):
        for day in message.stock_days:
            yield stock_day_pb.StockDayLine(
                store=day.store,
                sku=day.sku,
                stock_date=day.stock_date,
                on_hand_units=day.on_hand_units,
            )


def _catalogue(channel: grpc.Channel) -> Iterator[attributes_pb.AttributeLine]:
    stub = catalog_grpc.CatalogServiceStub(channel)
    request = catalog_pb.ListStylesRequest()
    for page in pages(stub.ListStyles, request, "styles", page_size=STYLES_PER_PAGE):
        for style in page.styles:
            for choice in style.choices:
                for size in choice.sizes:
                    stated = {
                        "style": style.name.removeprefix("styles/"),
                        "colour": choice.colour,
                        "size": size.size,
                        "category": style.category,
                    }
                    known = {name: value for name, value in stated.items() if value}
                    yield attributes_pb.AttributeLine(sku=size.sku, attributes=known)
