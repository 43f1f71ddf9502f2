"""Styles, choices, sizes and stores. Pure."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Generic, TypeVar

from services.chassis.errors import AlreadyExists, NotFound
from services.inventory.domain import Sku, StoreId

Item = TypeVar("Item")

MOST_CHOICES = 100
MOST_SIZES = 60


@dataclass(frozen=True, slots=True)
class Size:
    size: str
    sku: Sku


@dataclass(frozen=True, slots=True)
class Choice:
    colour: str
    sizes: tuple[Size, ...]  # In the order of the size run.


@dataclass(frozen=True, slots=True)
class Style:
    name: str  # Without its collection, such as `linen-shirt`.
    display_name: str
    category: str
    choices: tuple[Choice, ...]

    @property
    def skus(self) -> tuple[Sku, ...]:
        return tuple(size.sku for choice in self.choices for size in choice.sizes)


@dataclass(frozen=True, slots=True)
class Store:
    name: StoreId
    display_name: str
    time_zone: str  # IANA name.


@dataclass(frozen=True, slots=True)
class Listed(Generic[Item]):
    """An item of the catalogue, and when it was made."""

    item: Item
    create_time: datetime


class StyleNotFound(NotFound):
    reason = "STYLE_NOT_FOUND"


class StyleExists(AlreadyExists):
    reason = "STYLE_EXISTS"


class SkuExists(AlreadyExists):
    reason = "SKU_EXISTS"


class StoreExists(AlreadyExists):
    reason = "STORE_EXISTS"


def fingerprint(made: Style | Store) -> bytes:
    """SHA-256 of everything a caller said of ``made``: 32 bytes, equal for equal values alone.

    Kept beside the request_id. What was made may grow later, by an import; the fingerprint of the
    request that made it does not.
    """
    text = json.dumps(asdict(made), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()
