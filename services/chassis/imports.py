"""What every import by stream shares: its limits, its rejection, its patience with the caller."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

from services.chassis.errors import FieldViolation, InvalidArgument

MOST_LINES_PER_MESSAGE = 1_000
MOST_VIOLATIONS = 100
MOST_VIOLATION_BYTES = 5 * 1024
"""Of all violations named. They travel in trailers, of which clients take 8 KiB by default, and a
proxy on the way makes four bytes of three."""
VIOLATION_OVERHEAD_BYTES = 8
"""Tags and lengths of a `google.rpc.BadRequest.FieldViolation`."""
IMPORTS_AT_ONCE = 2
"""An import holds a connection for as long as its caller sends. Everybody else needs the others."""
MESSAGE_WAIT_SECONDS = 30.0
"""An import whose next message takes longer is given up, and its connection with it."""

Message = TypeVar("Message")


class ImportRejected(InvalidArgument):
    """Nothing was changed. Names as many violations as fit, and says how many lines to mend."""

    reason = "IMPORT_REJECTED"

    def __init__(self, violations: Iterable[FieldViolation], *, rejected_lines: int) -> None:
        super().__init__(*_fitting(violations), rejected_lines=rejected_lines)


def violation(row: int, field: str, description: str) -> FieldViolation:
    return FieldViolation(f"lines[{row}].{field}", description)


async def prompt(
    messages: AsyncIterator[Message], wait_seconds: float = MESSAGE_WAIT_SECONDS
) -> AsyncIterator[Message]:
    """Yields ``messages``. Raises TimeoutError when the next one takes too long."""
    arriving = aiter(messages)
    while True:
        async with asyncio.timeout(wait_seconds):
            try:
                message = await anext(arriving)
            except StopAsyncIteration:
                return
        yield message


def _fitting(violations: Iterable[FieldViolation]) -> list[FieldViolation]:
    """Returns the first of them, one at least. The very first is in the message too."""
    kept: list[FieldViolation] = []
    size = 0
    for each in violations:
        own = sum(len(text.encode()) for text in each) + VIOLATION_OVERHEAD_BYTES
        size += own if kept else 2 * own
        if kept and (size > MOST_VIOLATION_BYTES or len(kept) == MOST_VIOLATIONS):
            break
        kept.append(each)
    return kept
