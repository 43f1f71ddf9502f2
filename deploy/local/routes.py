"""Ways from one region to another, and the file that tells the relay of them."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from deploy.local import atomic

LONGEST_DELAY_MS = 60_000


class Mode(StrEnum):
    OPEN = "open"
    CUT = "cut"  # A partition: nothing moves and nothing is said; open connections stay open.


class RoutesError(Exception):
    """The file breaks a rule. The message says which, in one line."""


@dataclass(frozen=True, slots=True)
class Route:
    """What ``from_region`` has to call for something that listens in ``to_region``."""

    listen: str  # host:port of the relay; no two routes share one.
    to: str  # host:port of what is meant.
    from_region: str
    to_region: str
    delay_ms: float = 0.0  # One way, in each direction: half of the round trip.
    mode: Mode = Mode.OPEN

    def touches(self, region: str) -> bool:
        return region in (self.from_region, self.to_region)


def write(path: Path, routes: Iterable[Route]) -> None:
    """Replaces the file at once; a relay that runs follows within a tenth of a second."""
    document = {"routes": [asdict(route) for route in routes]}
    atomic.write(path, json.dumps(document, indent=1), atomic.ANYBODY)


def read(path: Path) -> tuple[Route, ...]:
    """Raises RoutesError if the file is not there or breaks a rule."""
    return parse(content(path))


def parse(text: bytes) -> tuple[Route, ...]:
    """Raises RoutesError."""
    try:
        routes = tuple(_route(fields) for fields in json.loads(text)["routes"])
    except (ValueError, KeyError, TypeError) as error:
        raise RoutesError(f"{type(error).__name__}: {error}") from None
    if len({route.listen for route in routes}) < len(routes):
        raise RoutesError("an address of the relay stands twice")
    return routes


def content(path: Path) -> bytes:
    """Returns nothing if there is no file."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def note_applied(path: Path, text: bytes) -> None:
    """Says, beside the file, that the relay does what ``text`` wants."""
    atomic.write(_applied_file(path), hashlib.sha256(text).hexdigest(), atomic.ANYBODY)


def applied(path: Path) -> bool:
    """Whether a relay does what the file wants."""
    wanted = hashlib.sha256(content(path)).hexdigest()
    return content(_applied_file(path)).decode() == wanted


def forget(path: Path) -> None:
    """Removes the file, and what an earlier relay has said of it."""
    for file in (path, _applied_file(path)):
        file.unlink(missing_ok=True)


def _applied_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.applied")


def split(address: str) -> tuple[str, int]:
    """Returns host and port. Raises ValueError."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError(f"{address}: want host:port")
    return host, int(port)


def _route(fields: dict[str, Any]) -> Route:
    route = Route(**{**fields, "mode": Mode(fields.get("mode", Mode.OPEN))})
    for address in (route.listen, route.to):
        split(address)
    if not 0 <= route.delay_ms <= LONGEST_DELAY_MS:
        raise ValueError(f"{route.listen}: delay_ms: want 0 to {LONGEST_DELAY_MS}")
    return route
