"""What operators may not do to a jurisdiction's traffic. Pure.

Safe means: whoever is to take calls over is known to be healthy. A region of which no health report
has come is not known to be. Of a service with tracks only hosts of those that have a share count.
"""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from services.chassis.errors import FieldViolation, InvalidArgument
from services.chassis.topology import Topology
from services.router import policy as rules
from services.router.endpoints import Endpoints, tracks_held
from services.router.errors import EpochFloorLowered, LastHealthyRegion
from services.router.policy import PERCENT, WHOLE, Choice, Policy


class Health(Protocol):
    """What the region's edges see, see `observed`."""

    def healthy_hosts(
        self, region: str, service: str, among: AbstractSet[str] | None = None
    ) -> tuple[int, int] | None:
        """Returns how many hosts, of those ``among``, are healthy, of how many; None if unknown."""


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

    @property
    def services(self) -> list[str]:
        return sorted({name for each in self.regions for name in self.endpoints[each].services})

    def tracks(self, policy: Policy, home: str, service: str) -> Mapping[str, int] | None:
        """Returns what holds for tenants of ``home``, see `tracks_held`."""
        usable = rules.usable(self.topology, policy.drained, home)
        return tracks_held(self.endpoints, service, usable, policy.tracks.get(service))

    def asked(self, policy: Policy, home: str, region: str, service: str) -> frozenset[str]:
        """Returns the addresses in ``region`` that may be asked for tenants of ``home``."""
        tracks = self.tracks(policy, home, service)
        return frozenset(
            str(host.sidecar)
            for host in self.endpoints[region].services.get(service, ())
            if tracks is None or tracks.get(host.track, 0) > 0
        )

    def ailment(self, policy: Policy, home: str, region: str, service: str) -> str:
        """Says why ``service`` of ``region`` does not count as healthy, nothing if it does."""
        tracks = self.tracks(policy, home, service)
        asked = self.asked(policy, home, region, service)
        names = sorted(track for track, percent in (tracks or {}).items() if percent > 0)
        whose = f" of track {' or '.join(names)}" if names else ""
        if not asked:
            return f"{service} has no host{whose}"
        found = self.health.healthy_hosts(region, service, asked)
        if found is None:
            return f"{service} has sent no health report{whose}"
        healthy, hosts = found
        return "" if healthy else f"{service} has 0 of {hosts} healthy hosts{whose}"

    def ailing(self, policy: Policy, home: str, region: str) -> list[str]:
        """Says why ``region`` does not count as healthy: every service of it must be."""
        problems = (self.ailment(policy, home, region, service) for service in self.services)
        return [problem for problem in problems if problem]


@dataclass(frozen=True, slots=True)
class Shares:
    home: str
    edge: str
    percents: Mapping[str, float]  # By region that is asked first.


class Course(NamedTuple):
    """Who is asked for tenants of ``home`` by the edges of ``edge``, before and after a change."""

    home: str
    edge: str
    old: tuple[Choice, ...]
    new: tuple[Choice, ...]
    healthy: frozenset[str]  # Regions that count as healthy after it.


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
    for course in _courses(scene, before, after):
        if not _lands(course, region):
            why = _why_not(scene, after, region, course.home, course.edge)
            raise LastHealthyRegion(why, region=region)


def _lands(course: Course, region: str) -> bool:
    """Says whether what is taken off ``region`` is answered by somebody else."""
    taken, left = _firsts(course.old), _firsts(course.new)
    if course.old == course.new:
        # Nobody else would take anything; which is well if nothing is sent there.
        return region not in taken
    for choice in course.new:
        asked = next((name for name in choice.regions if name in course.healthy), None)
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
    for course in _courses(scene, before, after):
        home, firsts = course.home, _firsts(course.new).keys()
        if firsts != _firsts(course.old).keys() and not firsts & course.healthy:
            (name, *_) = sorted(firsts) or [home]
            why = "; ".join(scene.ailing(after, home, name)) or "it is drained"
            raise LastHealthyRegion(
                f"Every call for tenants of {home} through the edge of {course.edge} would go to "
                f"{name} first, which is not known to be healthy: {why}.",
                region=name,
            )
        _check_tracks(scene, before, after, course)


def _check_tracks(scene: Scene, before: Policy, after: Policy, course: Course) -> None:
    """Checks that of each service that loses hosts in the regions asked first one is healthy."""
    home, firsts = course.home, sorted(_firsts(course.new))
    for service in scene.services:
        if all(
            scene.asked(before, home, name, service) <= scene.asked(after, home, name, service)
            for name in firsts
        ):
            continue  # Nobody is left out who was asked.
        found = {name: scene.ailment(after, home, name, service) for name in firsts}
        if all(found.values()):
            why = "; ".join(f"{name}: {problem}" for name, problem in found.items())
            raise LastHealthyRegion(
                f"Every call to {service} for tenants of {home} through the edge of {course.edge} "
                f"would first go to hosts that are not known to be healthy ({why}). Bring them up, "
                "or leave a share to a track that is healthy.",
                region=firsts[0],
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


def _courses(scene: Scene, before: Policy, after: Policy) -> Iterator[Course]:
    for home in scene.regions:
        healthy = frozenset(name for name in scene.regions if not scene.ailing(after, home, name))
        for edge in scene.regions:
            old = rules.choices(scene.topology, before, edge, home)
            new = rules.choices(scene.topology, after, edge, home)
            yield Course(home, edge, old, new, healthy)


def _firsts(choices: tuple[Choice, ...]) -> dict[str, float]:
    return {
        choice.regions[0]: choice.share / WHOLE * PERCENT for choice in choices if choice.regions
    }


def _why_not(scene: Scene, after: Policy, region: str, home: str, edge: str) -> str:
    others = [name for name in rules.family(scene.topology, home) if name != region]
    drained = {name for name in others if after.drained.get(name, 0) >= PERCENT}
    said = [
        f"{name} is drained" if name in drained else f"{name}: {', '.join(ailing)}"
        for name in others
        if (ailing := scene.ailing(after, home, name)) or name in drained
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
        yield f"no such service; known: {', '.join(scene.services)}."
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
