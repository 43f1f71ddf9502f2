import asyncio
from collections.abc import AsyncIterator

import pytest

from services.chassis import status
from services.chassis.imports import ImportRejected, prompt, violation

MOST_BYTES = 6 * 1024


@pytest.mark.parametrize("description", ["short", "x" * 200, "\U0001f9e5" * 80, "x" * 4000])
def test_a_rejection_is_no_larger_than_clients_take(description: str) -> None:
    violations = [violation(2**63 - 1, "unit_price_micros", description) for _ in range(500)]
    rejected = ImportRejected(violations, rejected_lines=500)
    assert 1 <= len(rejected.violations) <= 100
    assert rejected.metadata == {"rejected_lines": "500"}
    if len(description) < 1000:
        assert status.to_status(rejected).ByteSize() < MOST_BYTES


def test_few_and_short_violations_are_all_named() -> None:
    violations = [violation(row, "row", "wrong") for row in range(1, 101)]
    assert list(ImportRejected(violations, rejected_lines=100).violations) == violations


async def test_messages_pass_until_one_takes_too_long() -> None:
    async def stalling() -> AsyncIterator[int]:
        yield 1
        await asyncio.Event().wait()

    messages = prompt(stalling(), wait_seconds=0.01)
    assert await anext(messages) == 1
    with pytest.raises(TimeoutError):
        await anext(messages)


async def test_messages_end_when_the_caller_has_sent_them() -> None:
    async def two() -> AsyncIterator[int]:
        yield 1
        yield 2

    assert [message async for message in prompt(two())] == [1, 2]
