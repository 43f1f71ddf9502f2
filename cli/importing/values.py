"""Cells to values, by the rules of the contracts. What breaks one raises `InvalidValue`."""

import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from cli.importing.faults import InvalidValue

FIRST_DATE = date(2000, 1, 1)
PLANNED_AHEAD = timedelta(days=5 * 366)
MOST_UNITS = 1_000_000
MOST_PRICE_MICROS = 10**12
SKU = re.compile(r"[A-Z0-9-]{1,64}")
ID = re.compile(r"[a-z0-9-]{1,63}")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
WHOLE = re.compile(r"[+-]?\d{1,18}(\.0*)?")
ALL_STORES = "-"
YES = ("yes", "y", "true", "t", "1", "1.0", "x", "ja", "oui")
NO = ("no", "n", "false", "f", "0", "0.0", "", "nein", "non")
GUESSES = (
    "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d.%m.%Y %H:%M",
    "%m/%d/%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%Y/%m/%d", "%Y%m%d", "%d-%m-%Y", "%d-%b-%Y",
)  # fmt: skip
CACHED_VALUES = 65_536  # Dates and prices come again and again; reading one takes microseconds.

Parser = Callable[[Any], Any]


def text(value: Any) -> str:
    """A cell as text. Parquet cells are typed, CSV cells are text already."""
    if isinstance(value, str):
        return value.strip()
    return "" if value is None else str(value)


def dates(date_format: str | None, today: date, *, planned: bool = False) -> Callable[[Any], str]:
    """Reads `YYYY-MM-DD` from a day or a moment: ISO 8601, or by ``date_format``.

    What is ``planned`` may lie up to five years ahead, anything else a day.
    """
    last = today + (PLANNED_AHEAD if planned else timedelta(days=1))

    @lru_cache(CACHED_VALUES)
    def read(cell: str) -> str:
        try:
            moment = (
                datetime.strptime(cell, date_format)  # noqa: DTZ007 - the store's own day
                if date_format
                else datetime.fromisoformat(cell)
            )
        except ValueError:
            raise _bad_date(cell, date_format) from None
        return _day(moment.date(), last)

    def parse(value: Any) -> str:
        if isinstance(value, date):  # A datetime is one, too.
            return _day(value.date() if isinstance(value, datetime) else value, last)
        return read(text(value))

    return parse


def _day(day: date, last: date) -> str:
    if day < FIRST_DATE:
        raise InvalidValue("lies before 2000-01-01", "check the year, or leave the row out")
    if day > last:
        raise InvalidValue(
            "lies too far in the future", "check the day, or the order in --date-format"
        )
    return day.isoformat()


def _bad_date(cell: str, date_format: str | None) -> InvalidValue:
    if not cell:
        return InvalidValue("is empty; a date is needed", "fill it in, or leave the row out")
    fits = [guess for guess in GUESSES if guess != date_format and _fits(cell, guess)]
    hint = " or ".join(f"--date-format '{guess}'" for guess in fits[:2])
    hint = f"try {hint}" if hint else ""
    if date_format:
        return InvalidValue(f"is not a date in the form {date_format}", hint or "correct it")
    return InvalidValue("is not a date in the form YYYY-MM-DD", hint or "give --date-format")


def _fits(cell: str, date_format: str) -> bool:
    try:
        datetime.strptime(cell, date_format)  # noqa: DTZ007 - only whether it fits
    except ValueError:
        return False
    return True


def units_sold(value: Any) -> int:
    units = _whole(value)
    if units == 0:
        raise InvalidValue("is zero units", "leave the row out; a return is negative")
    if abs(units) > MOST_UNITS:
        raise InvalidValue("is more than one million units", "correct it")
    return units


def units_counted(value: Any) -> int:
    units = _whole(value)
    if units < 0:
        raise InvalidValue("is negative; a count cannot be", "count again, or put 0")
    if units > MOST_UNITS:
        raise InvalidValue("is more than one million units", "correct it")
    return units


def _whole(value: Any) -> int:
    if type(value) is int:
        return value
    cell = text(value)
    if not cell:
        raise InvalidValue("is empty; units are needed", "fill it in, or leave the row out")
    if WHOLE.fullmatch(cell):
        return int(cell.partition(".")[0])
    try:
        number = Decimal(cell)
    except InvalidOperation:
        remedy = "write digits alone, without separators" if any(map(str.isdigit, cell)) else ""
        raise InvalidValue("is not a number", remedy or "put the units, or leave it out") from None
    if not number.is_finite() or number == number.to_integral_value():
        raise InvalidValue("is not a number of units", "write digits alone")
    raise InvalidValue("is not whole; units are", "correct it")


@lru_cache(CACHED_VALUES)
def _price(cell: str) -> int:
    if not cell:
        raise InvalidValue("is empty; a price is needed", "put 0 if it was free")
    try:
        price = Decimal(cell)
    except InvalidOperation:
        raise InvalidValue("is not a price", "write it like 12.50, without a currency") from None
    if not price.is_finite():
        raise InvalidValue("is not a price", "put 0 if it was free")
    if price < 0:
        raise InvalidValue("is a negative price", "a return has negative units, not a price")
    if price > MOST_PRICE_MICROS // 1_000_000:
        raise InvalidValue("is a price above one million", "correct it")
    return int((price * 1_000_000).to_integral_value())


def price_micros(value: Any) -> int:
    """Millionths of the currency, rounded half to even."""
    return _price(text(value))


def skus(*, pattern_given: bool) -> Callable[[str], str]:
    """Checks a SKU that is upper-case already."""
    other = (
        "narrow --product-pattern, or change the code"
        if pattern_given
        else "if such codes are not products, leave them out with --product-pattern REGEX"
    )

    def parse(cell: str) -> str:
        if SKU.fullmatch(cell):
            return cell
        if not cell:
            raise InvalidValue("is empty; a SKU is needed", "fill it in, or leave the row out")
        raise InvalidValue("is no SKU: 1-64 letters, digits and hyphens", other)

    return parse


def identifier(value: Any) -> str:
    """A store or a style: lower-case, with hyphens for spaces and underscores."""
    name = re.sub(r"[\s_]+", "-", text(value).lower())
    if ID.fullmatch(name):
        return name
    if not name:
        raise InvalidValue("is empty; a name is needed", "fill it in")
    raise InvalidValue("is no name: 1-63 letters, digits and hyphens", "rename it in the file")


def label(value: Any) -> str:
    """An event or a kind of promotion: `Fête d'été` is `fete-d-ete`."""
    plain = unicodedata.normalize("NFKD", text(value).lower()).encode("ascii", "ignore").decode()
    name = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if ID.fullmatch(name):
        return name
    if not text(value):
        raise InvalidValue("is empty; a name is needed", "fill it in, or leave the row out")
    raise InvalidValue("is no name: letters and digits, at most 63", "shorten it, or rename it")


def store_or_all(value: Any) -> str:
    """A store; an empty cell, `-`, `*` or `all` are all of them."""
    return ALL_STORES if text(value).lower() in ("", "-", "*", "all") else identifier(value)


def yes_or_no(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    cell = text(value).lower()
    if cell in YES:
        return True
    if cell in NO:
        return False
    raise InvalidValue("is neither yes nor no", "write yes or no, true or false, 1 or 0")


def discount_share(value: Any) -> float:
    """`0.3` and `30%` are 30 % off; an empty cell is nothing off."""
    cell = text(value)
    percent = cell.endswith("%")
    try:
        share = Decimal(cell.rstrip("% ") or 0) / (100 if percent else 1)
    except InvalidOperation:
        raise InvalidValue("is not a discount", "write it like 0.3 or 30%") from None
    if not share.is_finite() or share < 0:
        raise InvalidValue("is not a discount", "write it like 0.3 or 30%")
    if share > 1:
        raise InvalidValue("is a discount above 100 %", "write 0.3 or 30% for 30 % off")
    return float(share)


def optional_price_micros(value: Any) -> int | None:
    return price_micros(value) if text(value) else None


def optional_identifier(value: Any) -> str:
    return identifier(value) if text(value) else ""


def words(most: int, *, required: bool = False) -> Callable[[Any], str]:
    """Any text of at most ``most`` characters."""

    def parse(value: Any) -> str:
        cell = text(value)
        if required and not cell:
            raise InvalidValue("is empty", "fill it in, or leave the row out")
        if CONTROL.search(cell):
            raise InvalidValue("holds a control character", "take it out, such as a line break")
        if len(cell) > most:
            raise InvalidValue(f"is longer than {most} characters", "shorten it")
        return cell

    return parse
