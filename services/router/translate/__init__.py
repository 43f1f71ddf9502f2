"""Facts in, resources out. Pure: no clock, no network, no order that differs between runs."""

from services.router import nodes
from services.router.nodes import Node
from services.router.snapshot import Snapshot
from services.router.translate import edge, sidecar
from services.router.translate.facts import Facts

__all__ = ["Facts", "translate"]


def translate(facts: Facts) -> dict[Node, Snapshot]:
    """Returns what each proxy of the router's own region is to know."""
    made = {nodes.edge(facts.region): Snapshot(edge.resources(facts))}
    for service, endpoints in facts.here.services.items():
        for number in range(1, len(endpoints.sidecars) + 1):
            node = nodes.sidecar(facts.region, service, number)
            made[node] = Snapshot(sidecar.resources(facts, node))
    return made
