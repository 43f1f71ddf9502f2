"""Traffic policy: which region of a jurisdiction is asked first, and who is asked after it. Pure.

A policy holds for one jurisdiction and can only name its regions. Which host of a region is healthy
is Envoy's own knowledge, not the policy's.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from services.chassis import traffic
from services.chassis.topology import Topology
from services.chassis.traffic import PERCENT, Mode, Traffic

__all__ = [
    "HIGHEST_EPOCH",
    "PERCENT",
    "WHOLE",
    "Choice",
    "Mode",
    "Policy",
    "baseline",
    "choices",
    "family",
    "problems",
    "stranded",
    "usable",
]

WHOLE = 10_000
"""Shares are counted in hundredths of a percent: a drain by 1 % of a weight of 1 % is still one."""

HIGHEST_EPOCH = 2**53
"""Every home epoch lies below: claims are doubles to Envoy, and beyond this not exact."""

EARTH_KM = 6371.0


@dataclass(frozen=True)
class Policy:
    """What operators have set for a jurisdiction. The default is the home region first."""

    mode: Mode = Mode.FAILOVER
    weights: Mapping[str, int] = field(default_factory=dict)  # Region to percent, of WEIGHTED.
    drained: Mapping[str, int] = field(default_factory=dict)  # Region to percent taken off it.
    tracks: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Service to track to percent; a service that is not named uses its hosts alike."""
    home_epoch_floor: int = 0  # Tokens with a lower home epoch are refused. Below `HIGHEST_EPOCH`.


def baseline(topology: Topology, jurisdiction: str) -> Policy:
    """Returns what holds until operators set something else."""
    steered = topology.jurisdictions[jurisdiction].traffic
    return Policy(steered.mode, dict(steered.weights))


def problems(topology: Topology, jurisdiction: str, policy: Policy) -> list[str]:
    """Says why mode and weights of ``policy`` cannot hold in ``jurisdiction``, field first."""
    steered = Traffic(policy.mode, policy.weights)
    missing = topology.unknown_to(policy.mode, jurisdiction)
    return [
        *traffic.problems(steered, topology.jurisdictions[jurisdiction].regions),
        *(f"mode: {problem}" for problem in missing),
    ]


def stranded(topology: Topology, jurisdiction: str, drained: Mapping[str, int]) -> tuple[str, ...]:
    """Returns the home regions whose tenants nobody would serve, with so much drained."""
    return tuple(
        home
        for home in topology.jurisdictions[jurisdiction].regions
        if not usable(topology, drained, home)
    )


def family(topology: Topology, home: str) -> tuple[str, ...]:
    """Who may serve tenants of ``home``, in the topology's order."""
    return (home, *topology.regions[home].failover)


def usable(topology: Topology, drained: Mapping[str, int], home: str) -> tuple[str, ...]:
    """Who may be asked for tenants of ``home``, with so much drained, in the topology's order."""
    return tuple(name for name in family(topology, home) if drained.get(name, 0) < PERCENT)


@dataclass(frozen=True, slots=True)
class Choice:
    share: int  # Of `WHOLE`.
    regions: tuple[str, ...]  # In the order in which they are asked. None: nobody may be asked.


def choices(topology: Topology, policy: Policy, edge: str, home: str) -> tuple[Choice, ...]:
    """Returns who is asked for tenants of ``home`` by the edges of region ``edge``.

    Shares add up to `WHOLE`. A region that is drained by 100 percent is in no choice.

    Raises:
        ValueError: the policy needs a location or latency that the topology does not tell.
    """
    order = _order(topology, policy.mode, edge, family(topology, home))
    usable = tuple(region for region in order if policy.drained.get(region, 0) < PERCENT)
    if not usable:
        return (Choice(WHOLE, ()),)
    shares: dict[str, int] = {}
    for region, percent in _wanted(policy, order).items():
        taken = policy.drained.get(region, 0)
        stand_in = _stand_in(policy, region, usable)
        shares[region] = shares.get(region, 0) + percent * (PERCENT - taken)
        shares[stand_in] = shares.get(stand_in, 0) + percent * taken
    return tuple(
        Choice(share, (first, *(region for region in usable if region != first)))
        for first, share in sorted(shares.items(), key=lambda each: order.index(each[0]))
        if share
    )


def _wanted(policy: Policy, order: tuple[str, ...]) -> Mapping[str, int]:
    """Percent by region before anything is drained."""
    if policy.mode is not Mode.WEIGHTED:
        return {order[0]: PERCENT}
    weights = {region: policy.weights.get(region, 0) for region in order}
    # A home whose failover list leaves out a weighted region keeps that region's share itself.
    weights[order[0]] += PERCENT - sum(weights.values())
    return weights


def _stand_in(policy: Policy, region: str, usable: tuple[str, ...]) -> str:
    """Who takes what is drained off ``region``: the next that is not drained at all, if any."""
    others = [other for other in usable if other != region]
    whole = [other for other in others if not policy.drained.get(other)]
    return next(iter((*whole, *others, region)))


def _order(topology: Topology, mode: Mode, edge: str, regions: tuple[str, ...]) -> tuple[str, ...]:
    if mode is Mode.LATENCY:
        return tuple(sorted(regions, key=lambda region: _latency(topology, edge, region)))
    if mode is Mode.GEOLOCATION:
        return tuple(sorted(regions, key=lambda region: _distance_km(topology, edge, region)))
    return regions


def _latency(topology: Topology, one: str, other: str) -> float:
    found = topology.latency_ms(one, other)
    if found is None:
        raise ValueError(f"latencies_ms: the topology tells none between {one} and {other}")
    return found


def _distance_km(topology: Topology, one: str, other: str) -> float:
    """Great-circle distance, by the haversine formula."""
    (lat_1, lon_1), (lat_2, lon_2) = (_location(topology, region) for region in (one, other))
    across = math.sin((lat_2 - lat_1) / 2) ** 2
    along = math.cos(lat_1) * math.cos(lat_2) * math.sin((lon_2 - lon_1) / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(across + along))


def _location(topology: Topology, region: str) -> tuple[float, float]:
    found = topology.regions[region].location
    if found is None:
        raise ValueError(f"regions.{region}.location: the topology does not tell it")
    return math.radians(found[0]), math.radians(found[1])
