"""What operators may not do to a jurisdiction's traffic. Pure.

Safe means: whoever is to take calls over is known to be healthy. A region of which no health report
has come is not known to be.
"""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Protocol

from services.chassis.errors import FieldViolation, InvalidArgument
from services.chassis.topology import Topology
from services.router import policy as rules
from services.router.endpoints import Endpoints
from services.router.errors import EpochFloorLowered, LastHealthyRegion
from services.router.policy import PERCENT, WHOLE, Choice, Policy


class Health(Protocol):
    """What the region's edges see, see `observed`."""

    def healthy_hosts(self, region: str, service: str) -> tuple[int, int] | None:
        """Returns how many hosts are healthy, of how many; None if no report tells."""


@dataclass(frozen=True)
class Scene:
    """The jurisdiction whose traffic is steered."""

    topology: Topology
    jurisdiction: str
    endpoints: Endpoints
    health: Health

    @property
    def regions(self) -> tuple[str, ...]:
        return self.topology.jurisdictions[self.jurisdiction].regions

    def ailing(self, region: str) -> list[str]:
        """Says why ``region`` does not count as healthy: every service of it must be."""
        return [
            problem
            for service in sorted(self.endpoints[region].services)
            if (problem := ailment(self.health, region, service))
        ]


@dataclass(frozen=True, slots=True)
class Shares:
    home: str
    edge: str
    percents: Mapping[str, float]  # By region that is asked first.


def ailment(health: Health, region: str, service: str) -> str:
    """Says why ``service`` of ``region`` does not count as healthy, nothing if it does."""
    found = health.healthy_hosts(region, service)
    if found is None:
        return f"{service} has sent no health report"
    healthy, hosts = found
    return "" if healthy else f"{service} has 0 of {hosts} healthy hosts"


def shares(topology: Topology, jurisdiction: str, policy: Policy) -> list[Shares]:
    """Returns who is asked first, for every home and every edge of the jurisdiction."""
    regions = topology.jurisdictions[jurisdiction].regions
    return [
        Shares(home, edge, _firsts(rules.choices(topology, policy, edge, home)))
        for home in regions
        for edge in regions
    ]


def check_drain(scene: Scene, before: Policy, after: Policy, region: str) -> None:
    """Checks that calls taken off ``region`` find a healthy region that is not drained.

    Raises:
        LastHealthyRegion: they do not, or nobody knows.
    """
    healthy = {name for name in scene.regions if not scene.ailing(name)}
    for home in scene.regions:
        for edge in scene.regions:
            old = rules.choices(scene.topology, before, edge, home)
            new = rules.choices(scene.topology, after, edge, home)
            if not _lands(old, new, region, healthy):
                why = _why_not(scene, after, region, home, edge)
                raise LastHealthyRegion(why, region=region)


def _lands(
    old: tuple[Choice, ...], new: tuple[Choice, ...], region: str, healthy: AbstractSet[str]
) -> bool:
    """Says whether what is taken off ``region`` is answered by somebody else."""
    taken, left = _firsts(old), _firsts(new)
    if old == new:
        # Nobody else would take anything; which is well if nothing is sent there.
        return region not in taken
    for choice in new:
        asked = next((name for name in choice.regions if name in healthy), None)
        first = next(iter(choice.regions), "")
        more = left.get(first, 0) > taken.get(first, 0)
        if asked is None or (more and asked == region):
            return False
    return True


def check_steering(scene: Scene, before: Policy, after: Policy) -> None:
    """Checks that not every call is first sent to where nobody is healthy.

    Raises:
        LastHealthyRegion: all calls for some home would be, or nobody knows.
    """
    healthy = {name for name in scene.regions if not scene.ailing(name)}
    for home, edge, old, new in _changed(scene, before, after):
        firsts = _firsts(new).keys()
        if firsts == _firsts(old).keys() or firsts & healthy:
            continue
        (name, *_) = sorted(firsts) or [home]
        why = "; ".join(scene.ailing(name)) or "it is drained"
        raise LastHealthyRegion(
            f"Every call for tenants of {home} through the edge of {edge} would go to {name} "
            f"first, which is not known to be healthy: {why}.",
            region=name,
        )


def check_policy(scene: Scene, policy: Policy) -> None:
    """Checks mode, weights and tracks. Raises InvalidArgument with every field at fault."""
    problems = rules.problems(scene.topology, scene.jurisdiction, policy)
    found = [FieldViolation(f"policy.{name}", f"{said}.") for name, said in _split(problems)]
    for service, tracks in sorted(policy.tracks.items()):
        field = f"policy.tracks[{service}]"
        found += [FieldViolation(field, said) for said in _track_problems(scene, service, tracks)]
    if found:
        raise InvalidArgument(*found)


def check_floor(before: Policy, floor: int) -> None:
    """Checks that the home-epoch floor only grows. Raises EpochFloorLowered."""
    if floor < before.home_epoch_floor:
        raise EpochFloorLowered(
            f"The home-epoch floor is {before.home_epoch_floor} and only grows: "
            "a token that was refused stays refused.",
            home_epoch_floor=before.home_epoch_floor,
        )


def _changed(
    scene: Scene, before: Policy, after: Policy
) -> Iterator[tuple[str, str, tuple[Choice, ...], tuple[Choice, ...]]]:
    for home in scene.regions:
        for edge in scene.regions:
            old = rules.choices(scene.topology, before, edge, home)
            new = rules.choices(scene.topology, after, edge, home)
            if old != new:
                yield home, edge, old, new


def _firsts(choices: tuple[Choice, ...]) -> dict[str, float]:
    return {
        choice.regions[0]: choice.share / WHOLE * PERCENT for choice in choices if choice.regions
    }


def _why_not(scene: Scene, after: Policy, region: str, home: str, edge: str) -> str:
    others = [name for name in rules.family(scene.topology, home) if name != region]
    drained = {name for name in others if after.drained.get(name, 0) >= PERCENT}
    said = [
        f"{name} is drained" if name in drained else f"{name}: {', '.join(scene.ailing(name))}"
        for name in others
        if name in drained or scene.ailing(name)
    ]
    whole = "; ".join(said) or f"{home} has no other region to be served by"
    return (
        f"{region} cannot be drained: nobody else who may serve tenants of {home} through the edge "
        f"of {edge} is known to be healthy and not drained ({whole})."
    )


def _track_problems(scene: Scene, service: str, tracks: Mapping[str, int]) -> Iterator[str]:
    hosts = {name: scene.endpoints[name].services.get(service, ()) for name in scene.regions}
    known = {host.track for found in hosts.values() for host in found}
    if not known:
        services = sorted(
            {name for each in scene.regions for name in scene.endpoints[each].services}
        )
        yield f"no such service; known: {', '.join(services)}."
        return
    if unknown := sorted(tracks.keys() - known):
        yield f"no host runs {', '.join(unknown)}; known: {', '.join(sorted(known))}."
    if any(not 0 <= percent <= PERCENT for percent in tracks.values()):
        yield "each is a percent, 0 to 100."
    if sum(tracks.values()) != PERCENT:
        yield f"adds up to {sum(tracks.values())}, not to {PERCENT}."
    wanted = {track for track, percent in tracks.items() if percent}
    for region, found in hosts.items():
        if wanted <= known and not wanted & {host.track for host in found}:
            yield f"{region} would have no host left: none of it runs {', '.join(sorted(wanted))}."


def _split(problems: list[str]) -> Iterator[tuple[str, str]]:
    for problem in problems:
        name, _, said = problem.partition(": ")
        yield name, said
