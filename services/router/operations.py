"""What operators do: one function a use case, each planned from the policy that is in force."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from services.chassis.database import DatabaseUnavailable
from services.router import operations_rules as safety
from services.router.errors import PolicyChanged, RegionNotFound, SnapshotRefused
from services.router.operations_rules import Scene, Shares
from services.router.policy import Policy
from services.router.policy_log import Change, Merged, Registers, applied
from services.router.policy_source import PolicySource
from services.router.policy_writer import Order, Plan, Planner, PolicyWriter

Trial = Callable[[Policy], Sequence[str]]
"""Says why the snapshots that follow from a policy would be refused. Any thread may ask."""

TRIALS = 5
"""Of one request, for each of which the policy in force has changed meanwhile."""


class _UntriedError(Exception):
    """Nobody has looked yet at what would follow from a policy."""

    def __init__(self, before: Policy, after: Policy) -> None:
        super().__init__()
        self.before = before
        self.after = after


@dataclass(frozen=True, slots=True)
class Outcome:
    merged: Merged
    shares: list[Shares]
    unreachable: tuple[str, ...]  # Regions whose store is not known to hold the change.


class Operations:
    """The use cases of one router. What it decides holds in the whole jurisdiction."""

    def __init__(
        self, scene: Scene, source: PolicySource, writer: PolicyWriter, trial: Trial
    ) -> None:
        self._scene = scene
        self._source = source
        self._writer = writer
        self._trial = trial

    @property
    def scene(self) -> Scene:
        return self._scene

    def policy(self) -> Merged:
        """Returns what is in force, as far as this router has read."""
        return self._source.merged

    async def fresh_policy(self) -> Merged:
        """Returns what is in force, with what another router has just accepted."""
        return await self._source.fresh()

    def history(self) -> tuple[list[Change], tuple[str, ...]]:
        """Returns all changes, newest first, and the regions whose store does not answer.

        Raises:
            DatabaseUnavailable: none does.
        """
        silent = sorted(self._source.silent)
        if not self._source.answering:
            raise DatabaseUnavailable("No policy store of the jurisdiction answers.")
        return self._source.history.changes, tuple(silent)

    async def drain(self, order: Order, region: str, percent: int) -> Outcome:
        """Takes ``percent`` of its calls off ``region``, 1 to 100.

        Raises:
            RegionNotFound: no region of the jurisdiction.
            LastHealthyRegion: nobody healthy is left to take them.
            SnapshotRefused: what follows would not be safe.
            RequestIdReused: the id came with another request.
            PolicyChanged: the etag is an older policy's.
            DatabaseUnavailable: no store answers.
        """
        self._check_region(region)
        plan = Plan(f"drain {region} {percent}", Registers(drained={region: percent}))

        def planned(merged: Merged) -> Plan:
            if percent > merged.policy.drained.get(region, 0):
                after = applied(merged.policy, plan.registers)
                safety.check_drain(self._scene, merged.policy, after, region)
            return plan

        return await self._carry_out(order, [plan.action], planned)

    async def undrain(self, order: Order, region: str, percent: int) -> Outcome:
        """Gives ``region`` its calls back but for ``percent``, 0 to 99. Never takes more off it.

        Raises:
            RegionNotFound, SnapshotRefused, RequestIdReused, PolicyChanged, DatabaseUnavailable:
                as `drain`.
        """
        self._check_region(region)

        def planned(merged: Merged) -> Plan:
            left = min(percent, merged.policy.drained.get(region, 0))
            return Plan(f"undrain {region} {left}", Registers(drained={region: left}))

        return await self._carry_out(order, [f"undrain {region} {percent}"], planned)

    async def set_policy(self, order: Order, wanted: Policy) -> Outcome:
        """Replaces all but the drains: those of ``wanted`` are passed over.

        Raises:
            InvalidArgument: it cannot hold in this topology.
            EpochFloorLowered: the floor only grows.
            LastHealthyRegion: every call for some tenants would go to where nobody is healthy.
            SnapshotRefused, RequestIdReused, PolicyChanged, DatabaseUnavailable: as `drain`.
        """
        safety.check_policy(self._scene, wanted)

        def planned(merged: Merged) -> Plan:
            safety.check_floor(merged.policy, wanted.home_epoch_floor)
            plan = Plan(_named(wanted), _difference(merged.policy, wanted))
            after = applied(merged.policy, plan.registers)
            safety.check_steering(self._scene, merged.policy, after)
            return plan

        tracks = {service: dict(found) for service, found in wanted.tracks.items()}
        content = [wanted.mode, dict(wanted.weights), tracks, wanted.home_epoch_floor]
        return await self._carry_out(order, ["set", *content], planned)

    async def _carry_out(self, order: Order, content: list[object], planned: Planner) -> Outcome:
        """Writes what is planned once it is known that its snapshots would be published."""
        tried: list[Policy] = []

        def proven(merged: Merged) -> Plan:
            plan = planned(merged)
            after = applied(merged.policy, plan.registers)
            if after not in (merged.policy, *tried):
                # The log is locked and must not wait for a proof: that is made outside.
                raise _UntriedError(merged.policy, after)
            return plan

        for _ in range(TRIALS):
            try:
                written = await self._writer.write(order, content, proven)
            except _UntriedError as untried:
                await self._prove(untried.before, untried.after)
                tried.append(untried.after)
                continue
            scene, policy = self._scene, written.merged.policy
            found = safety.shares(scene.topology, scene.jurisdiction, policy)
            return Outcome(written.merged, found, written.missing)
        message = "The policy changes faster than a change can be checked. Read it again."
        raise PolicyChanged(message, etag=self.policy().etag)

    async def _prove(self, before: Policy, after: Policy) -> None:
        problems = await asyncio.to_thread(self._trial, after)
        # Where nothing can be published as it is, a change is not to blame, and may be what helps.
        if problems and not await asyncio.to_thread(self._trial, before):
            raise SnapshotRefused(problems)

    def _check_region(self, region: str) -> None:
        if region not in self._scene.regions:
            known = ", ".join(self._scene.regions)
            raise RegionNotFound(
                f"There is no such region in {self._scene.jurisdiction}; known: {known}."
            )


def _difference(policy: Policy, wanted: Policy) -> Registers:
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


def _named(wanted: Policy) -> str:
    weights = [f"{region}={percent}" for region, percent in sorted(wanted.weights.items())]
    tracks = [
        f"{service}:{track}={percent}"
        for service, found in sorted(wanted.tracks.items())
        for track, percent in sorted(found.items())
    ]
    floor = [f"floor={wanted.home_epoch_floor}"] if wanted.home_epoch_floor else []
    return " ".join(["set", wanted.mode.value, *weights, *tracks, *floor])
