"""What is read of a stream, and how it ends."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.router.conversation import Conversation
from services.router.sotw import SotwStream

STREAM = SotwStream(lambda _: None)


async def said(*requests: str, then: Exception | None = None) -> AsyncIterator[Any]:
    for request in requests:
        yield request
    if then is not None:
        raise then


async def test_a_proxy_that_leaves_ends_the_stream() -> None:
    with Conversation(said("first")) as conversation:
        assert await conversation.next_request() == "first"
        assert not await conversation.next(STREAM)


async def test_a_proxy_that_leaves_without_a_word_has_no_first_request() -> None:
    with Conversation(said()) as conversation:
        assert await conversation.next_request() is None


async def test_a_stream_that_cannot_be_read_ends_with_the_reason() -> None:
    with Conversation(said("first", then=ValueError("no message"))) as conversation:
        assert await conversation.next_request() == "first"
        with pytest.raises(ValueError, match="no message"):
            await conversation.next(STREAM)


async def test_so_does_one_whose_first_request_cannot_be_read() -> None:
    with (
        Conversation(said(then=ValueError("no message"))) as conversation,
        pytest.raises(ValueError, match="no message"),
    ):
        await conversation.next_request()
