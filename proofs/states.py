"""Every state of 3 jurisdictions x 4 regions, each up, down or drained: 3^12 = 531,441.

    make prove-states

For each of the 4,096 sets of drained regions the edges' snapshots are compiled and given to
`check.prove`, the same function that guards what a router publishes. It looks at every kind of
token at every path, and at all 4,096 combinations of regions being up or down at once: a set of
combinations is one integer of 4,096 bits. Of those, the combinations in which no drained region is
up are counted here, as drained is a state of its own; that drained regions are not asked even if
they are up is shown on the way.

What is not done twice: a router knows the policy of its own jurisdiction alone, so an edge's
snapshot depends on which of its four own regions are drained, not on the other eight. Snapshots
are therefore compiled and proven once for each of 12 edges x 16 sets, and every one of the 4,096
sets is put together from those. That the rest of a set makes no difference is not assumed: with
each proof the facts are compared with those of the whole set.

Then leaks are planted, see `planted_leaks`, and the checker alone must find them.
"""

import statistics
import time
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

from proofs import planted_leaks, report
from proofs.states_world import World, twelve_regions
from services.chassis import topology
from services.router import check, nodes
from services.router.check import Proof
from services.router.snapshot import Snapshot
from services.router.translate import Facts, translate

LIVE_ROUNDS = 5
TOPOLOGY = Path(__file__).parents[1] / "deploy" / "topology.yaml"

Drained = frozenset[str]


class Proofs:
    """Proofs of edges' snapshots, each made once."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._made: dict[tuple[str, Drained], tuple[Facts, Proof]] = {}

    def of(self, region: str, drained: Drained) -> Proof:
        own = drained & set(self._world.topology.jurisdiction_of(region).regions)
        facts = self._world.facts(region, drained)
        if (region, own) not in self._made:
            edge = nodes.edge(region)
            snapshots = {edge: _edge_alone(facts)}
            self._made[region, own] = facts, check.prove(facts, snapshots)
        known, proof = self._made[region, own]
        if known.policies != facts.policies:
            raise AssertionError(
                "the router's policies differ: its proof cannot stand for this state"
            )
        return proof

    def __len__(self) -> int:
        return len(self._made)


def _edge_alone(facts: Facts) -> Snapshot:
    return translate(facts)[nodes.edge(facts.region)]


def subsets(regions: tuple[str, ...]) -> Iterator[Drained]:
    for size in range(len(regions) + 1):
        for chosen in combinations(regions, size):
            yield frozenset(chosen)


def count_states(world: World) -> tuple[int, int, set[str]]:
    """Returns how many states were shown, in how many something is wrong, and what."""
    proofs = Proofs(world)
    states, violations, said = 0, 0, set[str]()
    total = 1 << len(world.regions)
    with report.progress("drained sets", total) as bar:
        for drained in subsets(world.regions):
            found = [proofs.of(region, drained) for region in world.regions]
            if any(proof.states != total for proof in found):
                raise AssertionError("the checker has looked at fewer states than there are")
            # Regions that are not drained are up or down.
            here = 1 << (len(world.regions) - len(drained))
            states += here
            if any(proof.problems for proof in found):
                violations += here
                said |= {problem for proof in found for problem in proof.problems}
            bar.advance(1, f"{len(proofs)} snapshots")
    return states, violations, said


def live_check_ms() -> float:
    """How long a router's check of all that it publishes takes, in the world of `deploy`.

    The median over all regions' routers, each time with another floor for home epochs, so that
    routes and sidecars are new and have to be read.
    """
    world = World(topology.load(TOPOLOGY))
    took = []
    for floor, region in enumerate(world.regions * LIVE_ROUNDS, start=1):
        facts = world.facts(region, floor=floor)
        snapshots = translate(facts)
        began = time.perf_counter()
        proof = check.prove(facts, snapshots)
        took.append(time.perf_counter() - began)
        if proof.problems:
            raise AssertionError(proof.problems)
    return statistics.median(took) * 1000


PROMISE = report.Promise(
    at_most={"violations": 0, "seconds": 60, "live_check_ms": 50},
    equal={"states": 531_441, "planted_caught": "planted"},
)


def main() -> None:
    live = live_check_ms()
    began = time.perf_counter()
    states, violations, said = count_states(World(twelve_regions()))
    took = time.perf_counter() - began
    for problem in sorted(said):
        report.note(problem)
    caught = planted_leaks.caught()
    for name, problem in caught.items():
        report.note(f"{'caught' if problem else 'MISSED'}: {name}: {problem}")
    figures = {
        "states": states,
        "violations": violations,
        "seconds": round(took, 2),
        "planted": len(caught),
        "planted_caught": sum(bool(problem) for problem in caught.values()),
        "live_check_ms": round(live, 1),
    }
    report.close(figures, PROMISE)


if __name__ == "__main__":
    main()
