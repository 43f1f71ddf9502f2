"""Snapshots that are to be published together, and what was shown of them."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from services.router.check import (
    access_log,
    choices,
    clients,
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


@dataclass(frozen=True, slots=True)
class Proof:
    """What was shown of some snapshots.

    Attributes:
        states: combinations of the topology's regions being up or down that were looked at, for
            every kind of token, with the drains of the policy in force. Beyond
            `choices.EVERY_REGION` regions those of each jurisdiction, added up.
        hash: SHA-256 over facts, versions of the snapshots and states. Equal where equal things
            were shown, in every router and after every restart.
        problems: a sentence for each broken rule, after its node; empty if all may be published.
    """

    states: int
    hash: str
    problems: tuple[str, ...]


def prove(facts: Facts, snapshots: Mapping[Node, Snapshot]) -> Proof:
    """Checks ``snapshots`` against every rule, and in every state of the regions."""
    if too_many := tuple(choices.too_many(facts)):
        return Proof(0, _hash(facts, snapshots, 0), too_many)
    states = choices.states(facts)
    found = tuple(
        f"{node}: {problem}"
        for node, snapshot in snapshots.items()
        for problem in problems(facts, node, snapshot)
    )
    return Proof(states, _hash(facts, snapshots, states), found)


def problems(facts: Facts, node: Node, snapshot: Snapshot) -> Iterator[str]:
    """Yields, in a sentence each, which rules ``snapshot`` breaks. None if it may be published."""
    yield from references.problems(snapshot)
    yield from residency.problems(facts, snapshot)
    if node.kind is Kind.CLIENT:
        yield from clients.problems(facts, node, snapshot)
        return
    yield from doors.problems(facts, node, snapshot)
    yield from upstreams.problems(facts, node, snapshot)
    yield from tokens.problems(facts, node, snapshot)
    yield from listeners.problems(facts, node, snapshot)
    yield from access_log.problems(facts, node, snapshot)
    if node.kind is Kind.EDGE:
        yield from routes.problems(facts, snapshot)


def _hash(facts: Facts, snapshots: Mapping[Node, Snapshot], states: int) -> str:
    shown = {
        "region": facts.region,
        "jurisdictions": {
            name: [sorted(one.regions), one.foreign_edges.value]
            for name, one in facts.topology.jurisdictions.items()
        },
        "failover": {name: one.failover for name, one in facts.topology.regions.items()},
        "policies": {
            name: [
                one.mode.value,
                dict(one.weights),
                dict(one.drained),
                {service: dict(tracks) for service, tracks in one.tracks.items()},
                one.home_epoch_floor,
            ]
            for name, one in facts.policies.items()
        },
        "snapshots": {str(node): snapshot.version for node, snapshot in snapshots.items()},
        "states": states,
    }
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()
