"""Certificates as the router holds them."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Leaf:
    """A certificate and its key, PEM."""

    chain: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Certificates:
    """What the proxies of this region prove themselves with, and whom they trust."""

    leaves: Mapping[str, Leaf]  # By SPIFFE id: of this region's edges, sidecars and clients.
    bundles: Mapping[str, bytes]  # By jurisdiction: its authorities, PEM. Public.
