"""Which proxy is asking: `edge/<region>/<n>` or `sidecar/<region>/<service>/<n>`."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    EDGE = "edge"
    SIDECAR = "sidecar"


@dataclass(frozen=True, slots=True, order=True)
class Node:
    kind: Kind
    region: str
    service: str  # Empty for an edge.
    number: int  # From 1. Edges of a region are all alike; each sidecar has its own address.

    def __str__(self) -> str:
        parts = (self.kind.value, self.region, self.service, str(self.number))
        return "/".join(part for part in parts if part)


def edge(region: str) -> Node:
    """The node that stands for every edge of ``region``."""
    return Node(Kind.EDGE, region, "", 1)


def sidecar(region: str, service: str, number: int) -> Node:
    return Node(Kind.SIDECAR, region, service, number)


def parse(node_id: str) -> Node:
    """Reads an Envoy node id. Raises ValueError for anything but the two forms above."""
    match node_id.split("/"):
        case ["edge", region, number] if region and number.isdecimal():
            return Node(Kind.EDGE, region, "", int(number))
        case ["sidecar", region, service, number] if region and service and number.isdecimal():
            return Node(Kind.SIDECAR, region, service, int(number))
    raise ValueError(f"{node_id}: want edge/<region>/<n> or sidecar/<region>/<service>/<n>")
