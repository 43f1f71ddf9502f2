"""Page tokens: where the last page ended, tied to the request that it belongs to.

A token is not a secret and grants nothing: row-level security holds for every page alike.
"""

import base64
import binascii
import hashlib
import json
import math
from dataclasses import dataclass
from typing import Any

from services.chassis.errors import FieldViolation, InvalidArgument


@dataclass(frozen=True, slots=True)
class Limits:
    """Page sizes as the contract states them."""

    default: int
    most: int


@dataclass(frozen=True, slots=True)
class Page:
    """What to read: at most ``size`` rows that sort after ``after``."""

    size: int
    after: tuple[str | int | float, ...] | None  # The sort key of the last row seen.
    shape: str  # Fingerprint of the other request fields.

    def token(self, last: tuple[str | int | float, ...] | None) -> str:
        """Returns the token of the page that begins after ``last``, empty if there is none."""
        if last is None:
            return ""
        text = json.dumps([self.shape, *last], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def page_from(request: Any, limits: Limits, *filters: str, key: tuple[type, ...]) -> Page:
    """Reads `page_size` and `page_token`.

    Args:
        request: any list request.
        limits: of this list.
        filters: the other fields, which must not change from page to page.
        key: the types of the sort key.

    Raises:
        InvalidArgument: `page_size` out of limits, or a `page_token` of another request.
    """
    if not 0 <= request.page_size <= limits.most:
        raise InvalidArgument(
            FieldViolation("page_size", f"must be 0 (for {limits.default}) to {limits.most}.")
        )
    shape = hashlib.sha256("\x1f".join(filters).encode()).hexdigest()[:16]
    after = _after(request.page_token, shape, key) if request.page_token else None
    return Page(request.page_size or limits.default, after, shape)


def _after(token: str, shape: str, key: tuple[type, ...]) -> tuple[str | int | float, ...]:
    try:
        decoded = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, RecursionError, binascii.Error):
        decoded = None
    if not isinstance(decoded, list) or len(decoded) != len(key) + 1 or decoded[0] != shape:
        raise _foreign()
    after = tuple(decoded[1:])
    if any(type(part) is not kind for part, kind in zip(after, key, strict=True)):
        raise _foreign()
    if not all(_storable(part) for part in after):
        raise _foreign()
    return after


def _storable(part: str | float) -> bool:
    """Whether PostgreSQL could hold ``part``. Tokens can be forged, and JSON can say more."""
    if isinstance(part, str):
        return "\x00" not in part and not any("\ud800" <= char <= "\udfff" for char in part)
    if isinstance(part, int):
        return -(2**63) <= part < 2**63
    return math.isfinite(part)


def _foreign() -> InvalidArgument:
    return InvalidArgument(
        FieldViolation(
            "page_token", "not a token of this list; take next_page_token, other fields unchanged."
        )
    )
