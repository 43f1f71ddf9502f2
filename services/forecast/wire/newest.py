"""Pages of what is listed newest first: keyed by the time a thing was made, and its id."""

from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID

from services.chassis.fields import UUID_RULE, UUID_TEXT
from services.chassis.paging import Page
from services.forecast.fields import refusal

KEY = (int, str)
"""Microseconds since 1970, and a UUID."""
MICROSECOND = timedelta(microseconds=1)
START_OF_TIME = datetime(1970, 1, 1, tzinfo=UTC)


class Made(Protocol):
    @property
    def id(self) -> UUID: ...

    @property
    def create_time(self) -> datetime: ...


def check_key(page: Page, kind: str) -> Page:
    """The page, if its key is one. ``kind`` is what is listed, such as `job`."""
    if page.after is not None and not UUID_TEXT.fullmatch(str(page.after[1])):
        raise refusal("page_token", f"its {kind} {UUID_RULE}")
    return page


def after_from(page: Page) -> tuple[datetime, UUID] | None:
    """What the page begins after. Raises InvalidArgument if that lies outside of time."""
    if page.after is None:
        return None
    try:
        moment = START_OF_TIME + int(page.after[0]) * MICROSECOND
    except OverflowError:
        raise refusal("page_token", "not a token of this list; take next_page_token.") from None
    return moment, UUID(str(page.after[1]))


def token_after(page: Page, last: Made | None) -> str:
    """The token of the page that begins after ``last``, empty if there is none."""
    if last is None:
        return page.token(None)
    return page.token(((last.create_time - START_OF_TIME) // MICROSECOND, str(last.id)))
