"""Rows to promotions, events, attributes and stock days."""

from datetime import date
from typing import Any

from hemline.forecast.v1 import attribute_service_pb2 as attributes_pb
from hemline.forecast.v1 import plan_service_pb2 as plan_pb
from hemline.forecast.v1 import stock_day_service_pb2 as stock_pb

from cli.importing import values
from cli.importing.columns import Columns
from cli.importing.faults import Fault, FileRejected, InvalidValue
from cli.importing.fields_plans import CODES, TARGETS
from cli.importing.lines import Lines, Options, SkuLines

MOST_NAME_CHARACTERS = 64
MOST_TEXT_CHARACTERS = 128
EVERYTHING = ("*", "all")
SCOPE_OF_EVERYTHING = "all"
DEFAULT_KIND = "promotion"
CLOSED = "closed"


class _PlanLines(Lines):
    """Lines with a first and a last day, in one store or in all."""

    def __init__(self, columns: Columns, options: Options, today: date) -> None:
        super().__init__(columns)
        day = values.dates(options.date_format, today, planned=True)
        self._store = options.store or values.ALL_STORES
        self._parsers = {
            "store": values.store_or_all,
            "start": day,
            "end": lambda cell: day(cell) if values.text(cell) else "",
            "cancelled": values.yes_or_no,
        }

    def _faults_between(self, row: int, found: dict[str, Any]) -> list[Fault]:
        end = found.get("end") or found["start"]
        if end < found["start"]:
            problem = f"lies before the first day, {found['start']}"
            return [self._fault(row, "end", end, problem, "check both")]
        return []

    def _span(self, found: dict[str, Any]) -> dict[str, Any]:
        """The fields that all plans have."""
        end = found.get("end") or found["start"]
        store = found.get("store", self._store)
        self.tally.spans(found["start"], end)
        self.tally.stores.add(store)
        return {
            "store": store,
            "start_date": found["start"],
            "end_date": end,
            "cancelled": found.get("cancelled", False),
        }


class PromotionLines(_PlanLines):
    def __init__(self, columns: Columns, options: Options, today: date) -> None:
        super().__init__(columns, options, today)
        words = values.words(MOST_TEXT_CHARACTERS)
        check = values.skus(pattern_given=False)
        self._parsers |= {
            "promotion": values.words(MOST_NAME_CHARACTERS),
            "sku": lambda cell: _star(cell) or (values.text(cell) and check(_upper(cell))),
            **dict.fromkeys(
                ("product", "style", "category"), lambda cell: _star(cell) or words(cell)
            ),
            "kind": lambda cell: values.label(cell) if values.text(cell) else "",
            "discount": values.discount_share,
            "price": values.optional_price_micros,
        }

    def _faults_between(self, row: int, found: dict[str, Any]) -> list[Fault]:
        given = [name for name in TARGETS if name in found]
        if given and not any(found[name] for name in given):
            remedy = "fill it in, or write * for everything"
            return [self._fault(row, given[0], "", "says nothing of what is promoted", remedy)]
        return super()._faults_between(row, found)

    def _made(self, row: int, found: dict[str, Any]) -> plan_pb.PromotionLine:
        span = self._span(found)
        scope, target = _target(found)
        if scope == "sku":
            self.tally.skus.add(target)
        price = found.get("price")
        line = plan_pb.PromotionLine(
            row=row,
            promotion=found.get("promotion") or f"{span['start_date']}--{span['end_date']}",
            scope=scope,
            target=target,
            kind=found.get("kind") or DEFAULT_KIND,
            # A price says all that a discount says.
            discount_share=found.get("discount", 0.0) if price is None else 0.0,
            **span,
        )
        if price is not None:
            line.price_micros = price
        return line


def _target(found: dict[str, Any]) -> tuple[str, str]:
    for name in TARGETS:
        if found.get(name):
            return (
                (SCOPE_OF_EVERYTHING, "") if found[name] == EVERYTHING[0] else (name, found[name])
            )
    return SCOPE_OF_EVERYTHING, ""


def _star(cell: Any) -> str:
    return EVERYTHING[0] if values.text(cell).lower() in EVERYTHING else ""


def _upper(cell: Any) -> str:
    return values.text(cell).upper()


class CalendarLines(_PlanLines):
    def __init__(self, columns: Columns, options: Options, today: date) -> None:
        super().__init__(columns, options, today)
        self._parsers |= {
            "event": lambda cell: values.label(cell) if values.text(cell) else "",
            "closed": values.yes_or_no,
        }

    def _faults_between(self, row: int, found: dict[str, Any]) -> list[Fault]:
        if not found.get("event") and not found.get("closed"):
            problem, remedy = "is empty", "name the event, or say that the store is closed"
            return [self._fault(row, "event", "", problem, remedy)]
        return super()._faults_between(row, found)

    def _made(self, row: int, found: dict[str, Any]) -> plan_pb.CalendarLine:
        closed = found.get("closed", False)
        event = found.get("event") or CLOSED
        return plan_pb.CalendarLine(row=row, event=event, closed=closed, **self._span(found))


class AttributeLines(Lines):
    """One line for each SKU or store, however many rows say the same of it."""

    def __init__(self, columns: Columns, _options: Options, _today: date) -> None:
        super().__init__(columns)
        names = [name for name in columns.index if name not in CODES]
        if not names:
            remedy = "name some with --column NAME=HEADER, such as fit=Fit"
            raise FileRejected(Fault("no column is an attribute", remedy, 1))
        self._code = "store" if "store" in columns.index else "sku"
        self._names = names
        self._sent: dict[str, dict[str, str]] = {}
        words = values.words(MOST_TEXT_CHARACTERS)
        check = values.skus(pattern_given=False)
        self._parsers = {
            **dict.fromkeys(names, words),
            "sku": lambda cell: check(_upper(cell)),
            "store": _own_store,
        }

    def _made(self, row: int, found: dict[str, Any]) -> attributes_pb.AttributeLine | None:
        code = found[self._code]
        attributes = {name: found[name] for name in self._names if found[name]}
        if not attributes or self._sent.get(code) == attributes:
            return None
        self._sent[code] = attributes
        (self.tally.skus if self._code == "sku" else self.tally.stores).add(code)
        return attributes_pb.AttributeLine(row=row, attributes=attributes, **{self._code: code})


def _own_store(cell: Any) -> str:
    store: str = values.identifier(cell)
    if store == values.ALL_STORES:
        raise InvalidValue("stands for all stores", "name one")
    return store


class StockDayLines(SkuLines):
    def __init__(self, columns: Columns, options: Options, today: date) -> None:
        super().__init__(columns, options)
        self._parsers |= {
            "date": values.dates(options.date_format, today),
            "units": values.units_counted,
        }

    def _made(self, row: int, found: dict[str, Any]) -> stock_pb.StockDayLine:
        self.tally.spans(found["date"], found["date"])
        return stock_pb.StockDayLine(
            row=row,
            store=found.get("store", self._store),
            sku=found["sku"],
            stock_date=found["date"],
            on_hand_units=found["units"],
        )
