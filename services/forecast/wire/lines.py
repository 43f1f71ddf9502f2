"""What the messages of every import share: who they belong to, how many lines, which dates."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

from services.chassis.errors import FieldViolation
from services.chassis.fields import CONTROL, NAME, SKU
from services.chassis.imports import MOST_LINES_PER_MESSAGE, violation
from services.chassis.paging import Page
from services.chassis.wire import to_datetime
from services.forecast.domain.imports import Batch, Imported
from services.forecast.fields import ALL_STORES, iso_date, refusal, request_id_from

Line = TypeVar("Line", bound=tuple[Any, ...])
Wrong = list[tuple[str, str]]
"""Pairs of a field and its rule. Short: they travel in trailers, and what does not fit is not
named."""

FIRST_DATE = date(2000, 1, 1)
FIRST_TIME = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
ROW = ("row", "must be positive.")
STORE = ("store", "1 to 63 of a-z, 0-9 and hyphens.")
SKU_RULE = ("sku", "1 to 64 of A-Z, 0-9 and hyphens.")


class MessageReader(ABC, Generic[Line]):
    """Reads the messages of one import, first to last."""

    def __init__(self, last_date: date) -> None:
        self._last_date = last_date
        self._dates: dict[str, date] = {}  # Most lines repeat the date of the one before.
        self._request_id: UUID | None = None

    def read(self, message: Any) -> Batch[Line]:
        """Checks every line of a message by itself.

        Raises:
            InvalidArgument: the message breaks a rule, whatever its lines say.
        """
        if self._request_id is None:
            self._request_id = request_id_from(message.request_id)
            self._begin(message)
        else:
            if message.request_id and request_id_from(message.request_id) != self._request_id:
                raise refusal("request_id", "must be that of the first message, or empty.")
            self._go_on(message)
        if not 0 < len(message.lines) <= MOST_LINES_PER_MESSAGE:
            raise refusal("lines", f"every message carries 1 to {MOST_LINES_PER_MESSAGE} lines.")
        return self._batch(self._request_id, message.lines)

    def _begin(self, message: Any) -> None:
        """Reads what only the first message says."""

    def _go_on(self, message: Any) -> None:
        """Refuses a later message that contradicts the first."""

    def _batch(self, request_id: UUID, stated: Iterable[Any]) -> Batch[Line]:
        good: list[Line] = []
        violations: list[FieldViolation] = []
        rejected_lines = 0
        for line in stated:
            found, wrong = self._line(line)
            if line.row <= 0:
                wrong.insert(0, ROW)
            if wrong:
                rejected_lines += 1
                violations += (violation(line.row, field, rule) for field, rule in wrong)
            else:
                good += found
        return Batch(request_id, tuple(good), tuple(violations), rejected_lines)

    @abstractmethod
    def _line(self, line: Any) -> tuple[Iterable[Line], Wrong]:
        """Returns what a line says, and what is wrong with it, but for its row."""

    def _date(self, text: str) -> date | None:
        found = self._dates.get(text)
        if found is None:
            found = self._parsed(text)
            if found is not None:
                self._dates[text] = found
        return found

    def _parsed(self, text: str) -> date | None:
        parsed = iso_date(text)
        return parsed if parsed and FIRST_DATE <= parsed <= self._last_date else None


def known_time_from(message: Any, now: datetime) -> datetime | None:
    """When a plan became known, as its first message has it. Raises InvalidArgument."""
    if not message.HasField("known_time"):
        return None
    return moment_from(message.known_time, "known_time", now)


def moment_from(stated: Any, field: str, now: datetime) -> datetime:
    """Reads a moment from 2000 until now. Raises InvalidArgument for any other."""
    rule = "must be a timestamp from 2000-01-01 until now."
    try:
        moment = to_datetime(stated)
    except ValueError:
        raise refusal(field, rule) from None
    if not FIRST_TIME <= moment <= now:
        raise refusal(field, rule)
    return moment


def check_ordinal(page: Page) -> None:
    """Refuses a page whose key ends with something that is no ordinal of a date."""
    if page.after is not None and not 0 < int(page.after[-1]) <= date.max.toordinal():
        raise refusal("page_token", "not a token of this list.")


def tomorrow(now: datetime) -> date:
    """The last day that has begun somewhere."""
    return now.date() + timedelta(days=1)


def is_text(text: str, most: int) -> bool:
    return 0 < len(text) <= most and not CONTROL.search(text)


def is_name(text: str) -> bool:
    return NAME.fullmatch(text) is not None


def is_sku(text: str) -> bool:
    return SKU.fullmatch(text) is not None


def is_store_or_all(text: str) -> bool:
    return text == ALL_STORES or is_name(text)


def counts(imported: Imported) -> dict[str, int]:
    """The fields of most answers."""
    return {
        "lines": imported.lines,
        "new_lines": imported.new_lines,
        "changed_lines": imported.changed_lines,
        "known_lines": imported.known_lines,
    }
