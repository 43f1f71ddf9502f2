"""Facts in, resources out. Pure: no clock, no network, no order that differs between runs."""

from collections.abc import Iterator

from services.router.nodes import Kind, Node
from services.router.snapshot import Resource, Snapshot
from services.router.translate import edge, sidecar
from services.router.translate.facts import Facts

__all__ = ["Facts", "translate"]


def translate(facts: Facts) -> dict[Node, Snapshot]:
    """Returns what each proxy of the router's own region is to know."""
    return {node: Snapshot(_resources(facts, node)) for node in facts.nodes}


def _resources(facts: Facts, node: Node) -> Iterator[Resource]:
    return edge.resources(facts) if node.kind is Kind.EDGE else sidecar.resources(facts, node)
