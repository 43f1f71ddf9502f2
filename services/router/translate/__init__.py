"""Facts in, resources out. Pure: no clock, no network, no order that differs between runs."""

from collections.abc import Iterator

from services.router.nodes import Kind, Node
from services.router.snapshot import Resource, Snapshot
from services.router.translate import client, edge, sidecar
from services.router.translate.facts import Facts

__all__ = ["Facts", "translate"]


def translate(facts: Facts) -> dict[Node, Snapshot]:
    """Returns what each proxy and each proxyless client of the router's own region is to know."""
    return {node: Snapshot(_resources(facts, node)) for node in facts.nodes}


def _resources(facts: Facts, node: Node) -> Iterator[Resource]:
    match node.kind:
        case Kind.EDGE:
            return edge.resources(facts)
        case Kind.SIDECAR:
            return sidecar.resources(facts, node)
        case Kind.CLIENT:
            return client.resources(facts, node)
