"""Targets: the policy's choices, as clusters with names and shares."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from services.router import policy
from services.router.endpoints import Host, tracks_held
from services.router.translate.facts import Facts

PROBES = "identity-open"
"""Stands for identity in the name of the cluster for health and reflection, open to anybody."""

EVENLY = "all"
"""The name of the one locality of a region whose hosts are used alike."""


@dataclass(frozen=True, slots=True)
class Target:
    """A cluster for tenants of one home: who is asked, in which order, for which share."""

    name: str  # `<service>|<home>`, with `|<first region>` where shares go elsewhere than home.
    service: str
    home: str
    share: int  # Of `policy.WHOLE`.
    regions: tuple[str, ...]


def of(facts: Facts, service: str, home: str, called: str = "") -> tuple[Target, ...]:
    """The targets for tenants of ``home``; one that takes everything, or several.

    A target keeps its name while shares change: a cluster that is not new needs no warming.

    Args:
        facts: for topology and policy.
        service: whose sidecars.
        home: region of the tenants.
        called: stands for the service in the name, if given.
    """
    found = policy.choices(facts.topology, facts.policy_of(home), facts.region, home)
    plain = f"{called or service}|{home}"
    return tuple(
        Target(
            plain if len(found) == 1 or one.regions[0] == home else f"{plain}|{one.regions[0]}",
            service,
            home,
            one.share,
            one.regions,
        )
        for one in found
    )


def destination(found: tuple[Target, ...]) -> dict[str, Any]:
    """Fields of a route action that lead to these targets, each for its share."""
    if len(found) == 1:
        return {"cluster": found[0].name}
    clusters = [{"name": one.name, "weight": one.share} for one in found]
    return {"weighted_clusters": {"clusters": clusters}}


Locality = tuple[str, str, int, tuple[Host, ...]]


def tracks(facts: Facts, target: Target, region: str) -> list[Locality]:
    """The localities of ``region``: region, track, weight, hosts. A track without weight is out."""
    hosts = facts.endpoints[region].services[target.service]
    told = facts.policy_of(target.home).tracks.get(target.service)
    wanted = tracks_held(facts.endpoints, target.service, target.regions, told)
    if wanted is None:
        return [(region, EVENLY, 1, hosts)]
    by_track: dict[str, list[Host]] = defaultdict(list)
    for host in hosts:
        by_track[host.track].append(host)
    return list(_weighted(region, wanted, by_track))


def _weighted(region: str, wanted: Any, by_track: dict[str, list[Host]]) -> Iterator[Locality]:
    for track, percent in sorted(wanted.items()):
        if percent > 0 and by_track.get(track):
            yield region, track, percent, tuple(by_track[track])
