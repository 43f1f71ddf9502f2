"""Ways to look at a snapshot as plain data."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Any

from services.router import xds_types
from services.router.snapshot import Snapshot

Plain = dict[str, Any]


def values(snapshot: Snapshot, *keys: str) -> set[str]:
    """What stands under these keys in listeners and routes."""
    return {
        one[key]
        for kind in (xds_types.LISTENER, xds_types.ROUTES)
        for found in snapshot.of(kind).values()
        for one in found.mappings
        for key in keys
        if isinstance(one.get(key), str)
    }


def unknown_fields(where: str, body: Plain, known: AbstractSet[str]) -> Iterator[str]:
    """A field whose effect is not known could undo what is shown of all others."""
    for field in sorted(body.keys() - known):
        yield f"{where} is told {field}"


def dicts(value: Any) -> Iterator[Plain]:
    """Every mapping within ``value``, itself included."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield one
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
