"""Whom Envoy asks in every combination of regions that are up and down, from clusters alone.

A set of combinations is one integer, with a bit for each of them: a question about all of them at
once is a few operations on integers.
"""

import functools
from collections.abc import Iterator
from typing import NamedTuple

from services.chassis.topology import Jurisdiction
from services.router import policy, xds_types
from services.router.check.plain import Plain
from services.router.check.residency import addresses, sidecars
from services.router.snapshot import Snapshot
from services.router.translate.facts import Facts

EVERY_REGION = 12
"""Up to so many regions all combinations are looked at, above that those of each jurisdiction:
no other region occurs in what is looked at."""

JURISDICTION_LIMIT = 18
"""Regions of one jurisdiction: each more doubles what there is to look at."""


class Target(NamedTuple):
    """A cluster as it is sent: where its hosts are, and whether it sends to dead ones."""

    name: str
    share: int
    priorities: tuple[tuple[str, ...], ...]  # Regions of each, in Envoy's order.
    panics: bool


class Combinations:
    """Combinations of regions being up or down."""

    def __init__(self, regions: tuple[str, ...]) -> None:
        self.count = 1 << len(regions)
        self.all = (1 << self.count) - 1
        self.up = {name: self._up(i) for i, name in enumerate(regions)}

    def _up(self, number: int) -> int:
        """Combinations in which region ``number`` is up: those with this bit set."""
        half = 1 << number
        block = ((1 << half) - 1) << half  # `half` times down, `half` times up, and again.
        found, length = block, 2 * half
        while length < self.count:
            found |= found << length
            length *= 2
        return found

    def asked(self, target: Target) -> tuple[dict[str, int], int]:
        """For each region the combinations in which it is asked first, and those without any.

        Envoy asks the first priority of which a host is well. In a panic it asks whoever there is.
        """
        left, first = self.all, dict[str, int]()
        for regions in target.priorities:
            for region in regions:
                first[region] = first.get(region, 0) | (left & self.up.get(region, 0))
            for region in regions:
                left &= ~self.up.get(region, 0)
        if target.panics and target.priorities:
            for region in target.priorities[0]:
                first[region] |= left
            return first, 0
        return first, left

    def example(self, combinations: int) -> str:
        """One of them, in words."""
        number = (combinations & -combinations).bit_length() - 1
        up = [name for i, name in enumerate(self.up) if number >> i & 1]
        return f"only {', '.join(up)} up" if up else "nobody up"


def every_combination(facts: Facts, home: str) -> Combinations:
    return _combinations(_looked_at(facts, facts.topology.jurisdiction_of(home)))


def states(facts: Facts) -> int:
    """How many combinations all homes are looked at in."""
    jurisdictions = facts.topology.jurisdictions.values()
    return sum(1 << len(regions) for regions in {_looked_at(facts, one) for one in jurisdictions})


def too_many(facts: Facts) -> Iterator[str]:
    """Jurisdictions that are too large to look at all of their combinations."""
    for name, one in facts.topology.jurisdictions.items():
        if len(one.regions) > JURISDICTION_LIMIT:
            yield f"{name} has {len(one.regions)} regions, {JURISDICTION_LIMIT} can be looked at"


def _looked_at(facts: Facts, jurisdiction: Jurisdiction) -> tuple[str, ...]:
    regions = tuple(sorted(facts.topology.regions))
    return regions if len(regions) <= EVERY_REGION else jurisdiction.regions


@functools.lru_cache(maxsize=8)
def _combinations(regions: tuple[str, ...]) -> Combinations:
    return Combinations(regions)


def targets(
    facts: Facts, snapshot: Snapshot, service: str, action: Plain, *, proxyless: bool = False
) -> list[Target]:
    """The clusters that a route action leads to, each with its share; regions by address."""
    weighted = action.get("weighted_clusters", {}).get("clusters", [])
    named = [(one["name"], one.get("weight", 0)) for one in weighted]
    if "cluster" in action:
        named.append((action["cluster"], policy.WHOLE))
    owners = sidecars(facts, service)
    found = [_target(snapshot, owners, name, share) for name, share in named]
    # gRPC's own client knows no panic.
    return [one._replace(panics=False) for one in found] if proxyless else found


def _target(snapshot: Snapshot, owners: dict[str, set[str]], name: str, share: int) -> Target:
    found = snapshot.of(xds_types.ENDPOINTS).get(name)
    localities = found.plain.get("endpoints", []) if found is not None else []
    by_priority: dict[int, set[str]] = {}
    for locality in localities:
        regions = by_priority.setdefault(locality.get("priority", 0), set())
        for address in addresses(locality):
            regions |= owners.get(address, {"nowhere"})
    cluster = snapshot.of(xds_types.CLUSTER).get(name)
    common = cluster.plain.get("common_lb_config", {}) if cluster is not None else {}
    # Without a threshold Envoy's own counts, which is half of the hosts. Zero is left out in JSON.
    panics = common.get("healthy_panic_threshold", {"value": 50}).get("value", 0) > 0
    order = sorted(by_priority)
    return Target(name, share, tuple(tuple(sorted(by_priority[i])) for i in order), panics)


def problems(facts: Facts, found: list[Target], service: str, home: str) -> Iterator[str]:
    """What goes wrong for tenants of ``home`` in any combination, one sentence a rule."""
    allowed = set(facts.topology.jurisdiction_of(home).regions)
    drained = _drained(facts, home)
    for target in found:
        reached = {region for regions in target.priorities for region in regions}
        for region in sorted(reached - allowed):
            yield f"cluster {target.name} reaches {region}, abroad for tenants of {home}"
        for region in sorted(reached & drained):
            yield f"cluster {target.name} asks {region}, which is drained"
        if any(len(regions) != 1 for regions in target.priorities) or len(reached) != len(
            target.priorities
        ):
            yield f"cluster {target.name} has regions that do not follow one another"
    if _usable(facts, home) and not any(target.priorities for target in found):
        yield f"nobody serves {service} to tenants of {home}, though not all is drained"
    yield from _in_every_combination(facts, found, service, home, allowed - drained)
    if _shares(found) != _wanted(facts, service, home):
        yield f"tenants of {home} are not sent where the policy says"


def _in_every_combination(
    facts: Facts, found: list[Target], service: str, home: str, usable: set[str]
) -> Iterator[str]:
    every = every_combination(facts, home)
    somebody = 0
    for region in _serving(facts, service, home):
        somebody |= every.up[region]
    for target in found:
        first, nobody = every.asked(target)
        if nobody & somebody:
            state = every.example(nobody & somebody)
            yield f"cluster {target.name} asks nobody while a region could serve: {state}"
        for region, combinations in sorted(first.items()):
            dead = combinations & ~every.up.get(region, every.all)
            if dead:
                yield f"cluster {target.name} asks {region}, which is down: {every.example(dead)}"
            if region not in usable and combinations:
                state = every.example(combinations)
                yield f"cluster {target.name} asks {region}, which it must not: {state}"


def _shares(found: list[Target]) -> list[tuple[int, tuple[str, ...]]]:
    return [
        (one.share, tuple(region for regions in one.priorities for region in regions))
        for one in found
    ]


def _wanted(facts: Facts, service: str, home: str) -> list[tuple[int, tuple[str, ...]]]:
    chosen = policy.choices(facts.topology, facts.policy_of(home), facts.region, home)
    serving = _serving(facts, service, home)
    return [(one.share, tuple(each for each in one.regions if each in serving)) for one in chosen]


def _drained(facts: Facts, home: str) -> set[str]:
    drained = facts.policy_of(home).drained
    return {name for name, percent in drained.items() if percent >= policy.PERCENT}


def _usable(facts: Facts, home: str) -> list[str]:
    drained = _drained(facts, home)
    family = (home, *facts.topology.regions[home].failover)
    return [name for name in family if name not in drained]


def _serving(facts: Facts, service: str, home: str) -> list[str]:
    """Regions not drained with a host of a wanted version; if there is none, of any version."""
    wanted = facts.policy_of(home).tracks.get(service, {})
    usable = _usable(facts, home)
    running = {
        name: {host.track for host in facts.endpoints[name].services[service]} for name in usable
    }
    serving = [name for name in usable if any(wanted.get(one, 0) > 0 for one in running[name])]
    return serving or usable
