"""Rows to the lines of the contracts."""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from hemline.forecast.v1 import sales_service_pb2 as sales_pb
from hemline.inventory.v1 import inventory_service_pb2 as stock_pb

from cli.importing import values
from cli.importing.columns import Columns
from cli.importing.faults import Fault, InvalidValue
from cli.importing.values import Parser

DEFAULT_STORE = "main"
MOST_DOCUMENT_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class Options:
    """How rows are read. Fields that only some kinds have are ignored for the others."""

    date_format: str | None = None  # As of `strptime`; ISO 8601 if None.
    store: str | None = None  # Where the file has no store column.
    product_pattern: re.Pattern[str] | None = None  # Codes that do not match are not products.
    known_time: datetime | None = None  # When a plan became known; now, if None.


@dataclass(slots=True)
class Tally:
    """What was seen, for the summary."""

    not_products: Counter[str] = field(default_factory=Counter)
    upper_cased: int = 0
    sells: bool = False  # Whether the next two mean anything.
    returns: int = 0
    free: int = 0  # Sales lines with a price of 0.
    skus: set[str] = field(default_factory=set)
    stores: set[str] = field(default_factory=set)
    first_day: str = ""
    last_day: str = ""

    def spans(self, first: str, last: str) -> None:
        self.first_day = min(first, self.first_day or first)
        self.last_day = max(last, self.last_day)


class Lines:
    """What all kinds of import share: reading cells, collecting the faults of a row."""

    def __init__(self, columns: Columns) -> None:
        self.tally = Tally()
        self._columns = columns
        self._position = {name: i for i, name in enumerate(columns.index)}
        self._parsers: dict[str, Parser] = {}

    @property
    def wanted(self) -> list[int]:
        """The columns to read, in the order in which `line` takes their cells."""
        return list(self._columns.index.values())

    def line(self, row: int, cells: Sequence[Any]) -> Any | list[Fault] | None:
        """Returns the line of a row, its faults, or None if there is nothing to send."""
        if self._left_out(cells):
            return None
        faults: list[Fault] = []
        found: dict[str, Any] = {}
        for name, position in self._position.items():
            try:
                found[name] = self._parsers[name](cells[position])
            except InvalidValue as error:
                faults.append(error.at(row, self._columns.name(name), cells[position]))
        return faults or self._faults_between(row, found) or self._made(row, found)

    def _left_out(self, cells: Sequence[Any]) -> bool:  # noqa: ARG002 - for subclasses
        """Whether the row is not of what is imported, whatever else is in it."""
        return False

    def _faults_between(self, row: int, found: dict[str, Any]) -> list[Fault]:  # noqa: ARG002 - for subclasses
        """What the values of a row break together, or with those of other rows."""
        return []

    def _made(self, row: int, found: dict[str, Any]) -> Any:
        raise NotImplementedError

    def _fault(self, row: int, name: str, value: object, problem: str, remedy: str) -> Fault:
        return InvalidValue(problem, remedy).at(row, self._columns.name(name), value)


class SkuLines(Lines):
    """Lines of an SKU in a store."""

    def __init__(self, columns: Columns, options: Options) -> None:
        super().__init__(columns)
        self._pattern = options.product_pattern
        self._store = options.store or DEFAULT_STORE
        self._check_sku = values.skus(pattern_given=self._pattern is not None)
        self._parsers = {"sku": self._sku, "store": values.identifier}

    def _left_out(self, cells: Sequence[Any]) -> bool:
        if self._pattern is None:
            return False
        sku = values.text(cells[self._position["sku"]]).upper()
        if not sku or self._pattern.search(sku):
            return False
        self.tally.not_products[sku] += 1
        return True

    def line(self, row: int, cells: Sequence[Any]) -> Any | list[Fault] | None:
        made = super().line(row, cells)
        if made is not None and not isinstance(made, list):
            self.tally.upper_cased += made.sku != values.text(cells[self._position["sku"]])
            self.tally.skus.add(made.sku)
            self.tally.stores.add(made.store)
        return made

    def _sku(self, cell: Any) -> str:
        found: str = self._check_sku(values.text(cell).upper())
        return found


class SalesLines(SkuLines):
    def __init__(self, columns: Columns, options: Options, today: date) -> None:
        super().__init__(columns, options)
        self.tally.sells = True
        self._parsers |= {
            "document": values.words(MOST_DOCUMENT_CHARACTERS, required=True),
            "product": values.words(128),
            "date": values.dates(options.date_format, today),
            "units": values.units_sold,
            "price": values.price_micros,
        }

    def _made(self, row: int, found: dict[str, Any]) -> sales_pb.SalesLine:
        day, units, price = found["date"], found["units"], found.get("price", 0)
        store = found.get("store", self._store)
        self.tally.spans(day, day)
        self.tally.returns += units < 0
        self.tally.free += price == 0
        return sales_pb.SalesLine(
            row=row,
            document=found.get("document") or daily_total(day, store),
            store=store,
            sku=found["sku"],
            product=found.get("product", ""),
            sale_date=day,
            units=units,
            unit_price_micros=price,
        )


class StockLines(SkuLines):
    def __init__(self, columns: Columns, options: Options) -> None:
        super().__init__(columns, options)
        self._counted: dict[tuple[str, str], int] = {}
        self._parsers |= {
            "units": values.units_counted,
            "style": values.optional_identifier,
            "colour": values.words(63),
            "size": values.words(20),
            "category": values.words(63),
        }

    def _faults_between(self, row: int, found: dict[str, Any]) -> list[Fault]:
        key = (found.get("store", self._store), found["sku"])
        first = self._counted.setdefault(key, row)
        if first == row:
            return []
        problem = f"is counted in row {first} already, in the same store"
        return [self._fault(row, "sku", found["sku"], problem, "keep one of them")]

    def _made(self, row: int, found: dict[str, Any]) -> stock_pb.StockLine:
        return stock_pb.StockLine(
            row=row,
            store=found.get("store", self._store),
            sku=found["sku"],
            on_hand_units=found["units"],
            style=found.get("style", ""),
            colour=found.get("colour", ""),
            size=found.get("size", ""),
            category=found.get("category", ""),
        )


def daily_total(day: str, store: str) -> str:
    """The document of lines that name none: one for each store and day."""
    document = f"{day}-{store}"
    if len(document) <= MOST_DOCUMENT_CHARACTERS:
        return document
    return f"{day}-{hashlib.sha256(store.encode()).hexdigest()[:32]}"
