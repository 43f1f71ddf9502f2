"""Certificates as the router holds them."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Leaf:
    """A certificate and its key, PEM."""

    chain: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Certificates:
    """What the proxies of this region prove themselves with, and whom they trust."""

    leaves: Mapping[str, Leaf]  # By SPIFFE id: of this region's proxies, clients and routers.
    bundles: Mapping[str, bytes]  # By jurisdiction: its authorities, PEM. Public.


class Issuer(Protocol):
    """Whoever signs certificates for one jurisdiction."""

    def issue(self, spiffe_id: str, now: dt.datetime, *, names: tuple[str, ...] = ()) -> Leaf:
        """Returns a fresh certificate and key. ``names`` are DNS names it is good for as well."""
