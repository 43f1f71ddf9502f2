"""Ways to look at a snapshot as plain data."""

from collections.abc import Iterator
from typing import Any

from services.router import xds_types
from services.router.snapshot import Snapshot

Plain = dict[str, Any]


def values(snapshot: Snapshot, *keys: str) -> Iterator[str]:
    for kind in (xds_types.LISTENER, xds_types.ROUTES):
        for found in snapshot.of(kind).values():
            for one in dicts(found.plain):
                yield from (one[key] for key in keys if isinstance(one.get(key), str))


def dicts(value: Any) -> Iterator[Plain]:
    """Every mapping within ``value``, itself included."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from dicts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from dicts(inner)
