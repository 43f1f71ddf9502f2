"""What the snapshots of one router cost, by the number of regions in the world."""

import time
from collections.abc import Callable
from statistics import median
from typing import Any, TypeVar

from envoy.service.discovery.v3 import discovery_pb2 as pb

from proofs.states_world import World
from services.chassis import topology
from services.chassis.topology import Topology
from services.router import check, nodes, xds_types
from services.router.delta import DeltaStream
from services.router.encode import Encoder
from services.router.snapshot import Snapshot
from services.router.translate import translate

REGIONS = (3, 7, 15, 31)
IN_A_JURISDICTION = 4
REPEATS = 3
MILLI = 1e3

Made = TypeVar("Made")


def world(count: int) -> Topology:
    """``count`` regions, four to a jurisdiction, each of which stands in for the others."""
    groups = [
        [
            f"{chr(ord('a') + n // IN_A_JURISDICTION)}x-north-{k % IN_A_JURISDICTION + 1}"
            for k in range(n, min(count, n + IN_A_JURISDICTION))
        ]
        for n in range(0, count, IN_A_JURISDICTION)
    ]
    regions = {
        name: {
            "endpoint": f"https://{name}.example",
            "failover": [one for one in group if one != name],
        }
        for group in groups
        for name in group
    }
    jurisdictions = {
        f"J{chr(ord('A') + n)}": {"regions": group, "foreign_edges": "redirect"}
        for n, group in enumerate(groups)
    }
    edge = {"cors_origins": ["https://app.example"], "reflection": False}
    return topology.parse({"jurisdictions": jurisdictions, "regions": regions, "edge": edge})


def measure() -> list[dict[str, Any]]:
    """For each number of regions: size, and milliseconds to build, check and push."""
    return [_row(count) for count in REGIONS]


def _row(count: int) -> dict[str, Any]:
    found = World(world(count))
    facts = found.facts(found.regions[0])
    build, rebuild, snapshots = _timed(lambda: translate(facts))
    checked, checked_again, proof = _timed(lambda: check.prove(facts, snapshots))
    if proof.problems:
        raise AssertionError(proof.problems)
    edge = snapshots[nodes.edge(facts.region)]
    _, push, sent = _timed(lambda: _pushed(edge))
    return {
        "regions": count,
        "resources": sum(len(edge.of(kind)) for kind in xds_types.ORDER),
        "edge_bytes": sent,
        "proxies": len(snapshots),
        "first_build_ms": build,
        "build_ms": rebuild,
        "first_check_ms": checked,
        "check_ms": checked_again,
        "push_ms": push,
    }


def _timed(make: Callable[[], Made]) -> tuple[float, float, Made]:
    """Milliseconds of the first time, the median of later ones, and what was made."""
    took = []
    for _ in range(1 + REPEATS):
        started = time.perf_counter()
        made = make()
        took.append(MILLI * (time.perf_counter() - started))
    return round(took[0], 2), round(median(took[1:]), 2), made


def _pushed(snapshot: Snapshot) -> int:
    """Sends all of it to a proxy that accepts everything, without a network. Returns the bytes."""
    stream, encoder, sent = DeltaStream(lambda _verdict: None), Encoder(), 0
    stream.offer(snapshot)
    for kind in xds_types.ORDER:
        names = list(snapshot.of(kind))
        stream.receive(pb.DeltaDiscoveryRequest(type_url=kind, resource_names_subscribe=names))
        while (answer := stream.answer()) is not None:
            sent += len(encoder.delta(answer))
            accepted = pb.DeltaDiscoveryRequest(
                type_url=answer.type_url, response_nonce=answer.nonce
            )
            stream.receive(accepted)
    return sent
