"""What operators do: one function a use case, each planned from the policy that is in force."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from services.chassis.database import DatabaseUnavailable
from services.router import operations_rules as safety
from services.router.errors import RegionNotFound
from services.router.operations_rules import Scene, Shares
from services.router.policy import Mode, Policy
from services.router.policy_log import Change, Merged, Registers
from services.router.policy_source import PolicySource
from services.router.policy_writer import Order, Plan, Planner, PolicyWriter


@dataclass(frozen=True, slots=True)
class Steering:
    """All of a policy but its drains."""

    mode: Mode
    weights: Mapping[str, int] = field(default_factory=dict)
    tracks: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    home_epoch_floor: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    merged: Merged
    shares: list[Shares]
    unreachable: tuple[str, ...]  # Regions whose store is not known to hold the change.


class Operations:
    """The use cases of one router. What it decides holds in the whole jurisdiction."""

    def __init__(self, scene: Scene, source: PolicySource, writer: PolicyWriter) -> None:
        self._scene = scene
        self._source = source
        self._writer = writer

    @property
    def scene(self) -> Scene:
        return self._scene

    def policy(self) -> Merged:
        """Returns what is in force, as far as this router has read."""
        return self._source.merged

    def history(self) -> tuple[list[Change], tuple[str, ...]]:
        """Returns all changes, newest first, and the regions whose store does not answer.

        Raises:
            DatabaseUnavailable: none does.
        """
        silent = sorted(self._source.silent)
        if not self._source.answering:
            raise DatabaseUnavailable("No policy store of the jurisdiction answers.")
        return self._source.changes, tuple(silent)

    async def drain(self, order: Order, region: str, percent: int) -> Outcome:
        """Takes ``percent`` of its calls off ``region``, 1 to 100.

        Raises:
            RegionNotFound: no region of the jurisdiction.
            LastHealthyRegion: nobody healthy is left to take them.
            RequestIdReused: the id came with another request.
            PolicyChanged: the etag is an older policy's.
            DatabaseUnavailable: no store answers.
        """
        self._check_region(region)
        plan = Plan(f"drain {region} {percent}", Registers(drained={region: percent}))

        def planned(merged: Merged) -> Plan:
            if percent > merged.policy.drained.get(region, 0):
                after = _after(merged.policy, plan.registers)
                safety.check_drain(self._scene, merged.policy, after, region)
            return plan

        return await self._carry_out(order, [plan.action], planned)

    async def undrain(self, order: Order, region: str, percent: int) -> Outcome:
        """Gives ``region`` its calls back but for ``percent``, 0 to 99. Never takes more off it.

        Raises:
            RegionNotFound, RequestIdReused, PolicyChanged, DatabaseUnavailable: as `drain`.
        """
        self._check_region(region)

        def planned(merged: Merged) -> Plan:
            left = min(percent, merged.policy.drained.get(region, 0))
            return Plan(f"undrain {region} {left}", Registers(drained={region: left}))

        return await self._carry_out(order, [f"undrain {region} {percent}"], planned)

    async def set_policy(self, order: Order, wanted: Steering) -> Outcome:
        """Replaces all but the drains.

        Raises:
            InvalidArgument: it cannot hold in this topology.
            EpochFloorLowered: the floor only grows.
            LastHealthyRegion: every call for some tenants would go to where nobody is healthy.
            RequestIdReused, PolicyChanged, DatabaseUnavailable: as `drain`.
        """
        safety.check_policy(self._scene, _policy(wanted))

        def planned(merged: Merged) -> Plan:
            safety.check_floor(merged.policy, wanted.home_epoch_floor)
            plan = Plan(_named(wanted), _difference(merged.policy, wanted))
            after = _after(merged.policy, plan.registers)
            safety.check_steering(self._scene, merged.policy, after)
            return plan

        tracks = {service: dict(found) for service, found in wanted.tracks.items()}
        content = [wanted.mode, dict(wanted.weights), tracks, wanted.home_epoch_floor]
        return await self._carry_out(order, ["set", *content], planned)

    async def _carry_out(self, order: Order, content: list[object], planned: Planner) -> Outcome:
        written = await self._writer.write(order, content, planned)
        scene, policy = self._scene, written.merged.policy
        found = safety.shares(scene.topology, scene.jurisdiction, policy)
        return Outcome(written.merged, found, written.missing)

    def _check_region(self, region: str) -> None:
        if region not in self._scene.regions:
            known = ", ".join(self._scene.regions)
            raise RegionNotFound(
                f"There is no such region in {self._scene.jurisdiction}; known: {known}."
            )


def _policy(wanted: Steering) -> Policy:
    return Policy(
        mode=wanted.mode,
        weights=wanted.weights,
        tracks=wanted.tracks,
        home_epoch_floor=wanted.home_epoch_floor,
    )


def _after(policy: Policy, registers: Registers) -> Policy:
    """Mode, weights and drains with ``registers``, however unsafe."""
    drained = {**policy.drained, **registers.drained}
    if registers.mode is None:
        return replace(policy, drained=drained)
    return replace(policy, drained=drained, mode=registers.mode, weights=registers.weights)


def _difference(policy: Policy, wanted: Steering) -> Registers:
    """What must be set: not more, so that changes made elsewhere at the same time hold as well."""
    cleared: dict[str, Mapping[str, int]] = {
        service: {} for service in policy.tracks.keys() - wanted.tracks.keys()
    }
    given = {
        service: tracks
        for service, tracks in wanted.tracks.items()
        if dict(tracks) != dict(policy.tracks.get(service, {}))
    }
    same = (policy.mode, dict(policy.weights)) == (wanted.mode, dict(wanted.weights))
    return Registers(
        mode=None if same else wanted.mode,
        weights={} if same else wanted.weights,
        tracks={**cleared, **given},
        home_epoch_floor=wanted.home_epoch_floor,
    )


def _named(wanted: Steering) -> str:
    weights = [f"{region}={percent}" for region, percent in sorted(wanted.weights.items())]
    tracks = [
        f"{service}:{track}={percent}"
        for service, found in sorted(wanted.tracks.items())
        for track, percent in sorted(found.items())
    ]
    floor = [f"floor={wanted.home_epoch_floor}"] if wanted.home_epoch_floor else []
    return " ".join(["set", wanted.mode.value, *weights, *tracks, *floor])
