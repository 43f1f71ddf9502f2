"""What questions share: which stores they are about, and products of which attributes."""

import re
from collections.abc import Mapping, Sequence

from services.chassis.fields import CONTROL
from services.forecast.fields import is_store

ATTRIBUTE = re.compile(r"(store_)?[a-z0-9-]{1,63}")
"""As an import may call one of an SKU; with `store_` before it, one of a store."""
MOST_VALUE_CHARACTERS = 128


def is_attribute(name: str) -> bool:
    return ATTRIBUTE.fullmatch(name) is not None


def are_attributes(stated: Mapping[str, str], most: int) -> bool:
    """Whether these are at most ``most`` names of attributes, with printable or empty values."""
    return len(stated) <= most and all(
        is_attribute(name) and len(value) <= MOST_VALUE_CHARACTERS and not CONTROL.search(value)
        for name, value in stated.items()
    )


def are_stores(stated: Sequence[str], most: int) -> bool:
    return len(stated) <= most and all(map(is_store, stated))
