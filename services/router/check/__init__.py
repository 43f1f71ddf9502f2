"""The last look before a snapshot is published: what would be unsafe is refused, whoever made it.

Reads what is to be sent, not what it was made from, and knows none of the translator's ways: two
that agree by accident are less likely than one that is wrong.
"""

from collections.abc import Iterator

from services.router.check import (
    access_log,
    doors,
    listeners,
    references,
    residency,
    routes,
    tokens,
    upstreams,
)
from services.router.nodes import Kind, Node
from services.router.snapshot import Snapshot
from services.router.translate.facts import Facts


def problems(facts: Facts, node: Node, snapshot: Snapshot) -> Iterator[str]:
    """Yields, in a sentence each, which rules ``snapshot`` breaks. None if it may be published."""
    yield from references.problems(snapshot)
    yield from residency.problems(facts, snapshot)
    yield from doors.problems(facts, node, snapshot)
    yield from upstreams.problems(facts, node, snapshot)
    if node.kind is Kind.CLIENT:
        return
    yield from tokens.problems(facts, node, snapshot)
    yield from listeners.problems(facts, node, snapshot)
    yield from access_log.problems(facts, node, snapshot)
    if node.kind is Kind.EDGE:
        yield from routes.problems(facts, snapshot)
