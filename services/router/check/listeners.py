"""Listeners: at the proxy's own address, for HTTP, through one chain of filters."""

from collections.abc import Iterator

from services.router import xds_types
from services.router.addresses import Address
from services.router.check import manager
from services.router.check.plain import Plain, unknown_fields
from services.router.nodes import Kind, Node
from services.router.snapshot import Snapshot
from services.router.translate.facts import Facts

FIELDS = frozenset(
    {"@type", "name", "address", "per_connection_buffer_limit_bytes", "filter_chains"}
)
CHAIN = {
    Kind.EDGE: frozenset({"name", "filters"}),
    Kind.SIDECAR: frozenset({"name", "filters", "transport_socket"}),
}


def problems(facts: Facts, node: Node, snapshot: Snapshot) -> Iterator[str]:
    listeners = snapshot.of(xds_types.LISTENER)
    if not listeners:
        yield "there is no listener"
    for name, found in listeners.items():
        yield from _listener(facts, node, name, found.plain)


def _listener(facts: Facts, node: Node, name: str, listener: Plain) -> Iterator[str]:
    where = f"listener {name}"
    yield from unknown_fields(where, listener, FIELDS)
    if listener.get("address") != _address(facts, node).envoy():
        yield f"{where} is at another address than its own"
    chains = listener.get("filter_chains", [])
    if len(chains) != 1:
        yield f"{where} has another number of filter chains than one"
    for chain in chains:
        yield from unknown_fields(where, chain, CHAIN[node.kind])
        found = [one.get("typed_config", {}) for one in chain.get("filters", ())]
        if [one.get("@type") for one in found] != [manager.TYPE]:
            yield f"{where} passes on what is not HTTP"
            continue
        yield from manager.problems(facts, node, name, found[0])


def _address(facts: Facts, node: Node) -> Address:
    if node.kind is Kind.EDGE:
        return facts.here.edge
    return facts.here.services[node.service][node.number - 1].sidecar
