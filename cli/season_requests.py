"""What is sent to load a season: cut into messages, named by its content."""

import hashlib
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any
from uuid import UUID, uuid5

from cli.output import Report
from season import Season

NAMESPACE = UUID("6f1e6d4e-8f0b-5d0f-9c6e-2f3a5c1f8a10")
LINES_PER_MESSAGE = 1_000


def content(season: Season, what: str, messages: Iterable[Any]) -> str:
    """The request_id of ``messages``."""
    return content_id(season, what, *(m.SerializeToString(deterministic=True) for m in messages))


def content_id(season: Season, what: str, *content: bytes) -> str:
    """The request_id of ``content``: the same for the same, and another for any other."""
    digest = hashlib.sha256()
    for part in content:
        digest.update(len(part).to_bytes(8, "big") + part)
    return str(uuid5(NAMESPACE, f"{season.config.retailer.name}/{what}/{digest.hexdigest()}"))


def batches(lines: Iterable[Any]) -> Iterator[list[Any]]:
    """Lists of at most 1,000."""
    rest = iter(lines)
    while batch := list(islice(rest, LINES_PER_MESSAGE)):
        yield batch


def sending(messages: list[Any], shown: Report) -> Iterator[Any]:
    """Yields ``messages``, and tells ``shown`` how far it is."""
    for index, message in enumerate(messages):
        yield message
        shown((index + 1) / len(messages))
