"""Reads a list of the API page by page."""

from collections.abc import Callable, Iterator
from typing import Any


def pages(
    method: Callable[[Any], Any], request: Any, field: str, *, page_size: int, limit: int = 0
) -> Iterator[Any]:
    """Yields pages to the last, or until they hold ``limit`` entries. The first may be empty.

    Args:
        method: the RPC.
        request: its request, whose page fields are filled in here.
        field: the field of the response that holds the entries.
        page_size: the most to ask for at once.
        limit: how many entries are wanted; 0 for all.
    """
    left = limit
    while True:
        request.page_size = min(left, page_size) if limit else page_size
        page = method(request)
        yield page
        left -= len(getattr(page, field))
        if (limit and left <= 0) or not page.next_page_token:
            return
        request.page_token = page.next_page_token
