"""Which proxy is asking.

`edge/<region>/<n>`, `sidecar/<region>/<service>/<n>`, or `client/<region>/<service>/<n>`: a service
that calls others through gRPC's own xDS client.
"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    EDGE = "edge"
    SIDECAR = "sidecar"
    CLIENT = "client"  # gRPC's own xDS client, inside a service.


@dataclass(frozen=True, slots=True, order=True)
class Node:
    kind: Kind
    region: str
    service: str  # Empty for an edge.
    number: int  # From 1. Edges of a region are all alike, clients too; sidecars have addresses.

    def __str__(self) -> str:
        parts = (self.kind.value, self.region, self.service, str(self.number))
        return "/".join(part for part in parts if part)


def edge(region: str) -> Node:
    """The node that stands for every edge of ``region``."""
    return Node(Kind.EDGE, region, "", 1)


def sidecar(region: str, service: str, number: int) -> Node:
    return Node(Kind.SIDECAR, region, service, number)


def client(region: str, service: str) -> Node:
    """The node that stands for every ``service`` of ``region`` that calls without a proxy."""
    return Node(Kind.CLIENT, region, service, 1)


def parse(node_id: str) -> Node:
    """Reads a node id. Raises ValueError for anything but the three forms above."""
    match node_id.split("/"):
        case ["edge", region, number] if region and number.isdecimal():
            return Node(Kind.EDGE, region, "", int(number))
        case ["sidecar" | "client" as kind, region, service, number] if (
            region and service and number.isdecimal()
        ):
            return Node(Kind(kind), region, service, int(number))
    raise ValueError(
        f"{node_id}: want edge/<region>/<n>, sidecar/<region>/<service>/<n> or "
        "client/<region>/<service>/<n>"
    )
