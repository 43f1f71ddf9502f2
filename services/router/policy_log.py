"""The log of what operators have set, and the policy that follows from it. Pure.

A policy is a map of registers: the drain of each region, mode and weights, the tracks of each
service, the home-epoch floor. The last change of a register wins, by `Change.key`; the floor is the
highest that was ever set. So routers may take changes while they cannot reach each other, and all
of them come to the same policy once they have the same changes, in whatever order these arrived.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from services.chassis.topology import Topology
from services.router import policy as rules
from services.router.policy import Mode, Policy

Key = tuple[int, str, str]


@dataclass(frozen=True)
class Registers:
    """The registers that a change sets. What is None or not named stays."""

    drained: Mapping[str, int] = field(default_factory=dict)  # Region to percent; 0 is undrained.
    mode: Mode | None = None
    weights: Mapping[str, int] = field(default_factory=dict)  # Set together with the mode.
    tracks: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Service to its tracks; none of them: its hosts alike, as if never set."""
    home_epoch_floor: int = 0


@dataclass(frozen=True)
class Change:
    """One change, as it is kept in every region of the jurisdiction."""

    version: int  # One more than the highest that its router had seen.
    region: str  # Of the router that took it.
    request_id: UUID
    fingerprint: bytes  # Of the request, to tell a retry from another one.
    create_time: datetime
    operator: str
    action: str  # In a word or two, for people.
    reason: str
    registers: Registers

    @cached_property
    def key(self) -> Key:
        """Orders all changes of a jurisdiction. Unique."""
        return (self.version, self.region, str(self.request_id))


@dataclass(frozen=True)
class Merged:
    policy: Policy
    version: int  # Of the newest change, 0 if there is none.
    ignored: frozenset[Key]  # Changes that would have left tenants to nobody.

    @cached_property
    def etag(self) -> str:
        """Differs whenever the policy does, or the newest version."""
        policy = self.policy
        text = json.dumps(
            [policy.mode, policy.weights, policy.drained, policy.tracks, policy.home_epoch_floor],
            sort_keys=True,
            default=dict,
        )
        return f"{self.version}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def merge(topology: Topology, jurisdiction: str, changes: Iterable[Change]) -> Merged:
    """Returns what follows from ``changes``, the same for the same set of them.

    Two operators who are cut off from each other may each drain what the other counts on. The
    newer of the two changes is then ignored, for good.
    """
    policy, version, ignored = rules.baseline(topology, jurisdiction), 0, set()
    regions = frozenset(topology.jurisdictions[jurisdiction].regions)
    for change in sorted(changes, key=lambda each: each.key):
        version = change.version
        wanted = applied(policy, _known(change.registers, regions))
        if change.registers.drained and rules.stranded(topology, jurisdiction, wanted.drained):
            ignored.add(change.key)
            continue
        # The topology may have changed since: what cannot hold any more leaves what held before.
        if change.registers.mode and rules.problems(topology, jurisdiction, wanted):
            wanted = replace(wanted, mode=policy.mode, weights=policy.weights)
        policy = wanted
    return Merged(policy, version, frozenset(ignored))


def applied(policy: Policy, registers: Registers) -> Policy:
    """Returns ``policy`` with ``registers`` set, however unsafe."""
    drained = {**policy.drained, **registers.drained}
    tracks = {**policy.tracks, **registers.tracks}
    steered = registers.mode is not None
    return Policy(
        mode=registers.mode or policy.mode,
        weights=registers.weights if steered else policy.weights,
        drained={region: percent for region, percent in drained.items() if percent},
        tracks={service: found for service, found in tracks.items() if found},
        home_epoch_floor=max(policy.home_epoch_floor, registers.home_epoch_floor),
    )


def _known(registers: Registers, regions: frozenset[str]) -> Registers:
    """Leaves out what no policy can hold: it may have been written by another version of this."""
    floor = registers.home_epoch_floor
    return replace(
        registers,
        # A region may have left the jurisdiction since.
        drained={name: registers.drained[name] for name in registers.drained.keys() & regions},
        # Not the highest that can hold, in its place: that one would refuse every token, for good.
        home_epoch_floor=floor if floor < rules.HIGHEST_EPOCH else 0,
    )


def to_json(registers: Registers) -> dict[str, Any]:
    """As it is kept: only what is set."""
    fields = {
        "drained": dict(registers.drained),
        "mode": registers.mode.value if registers.mode else None,
        "weights": dict(registers.weights),
        "tracks": {service: dict(tracks) for service, tracks in registers.tracks.items()},
        "home_epoch_floor": registers.home_epoch_floor,
    }
    return {name: value for name, value in fields.items() if value}


def from_json(kept: Mapping[str, Any]) -> Registers:
    """Reads what `to_json` wrote, here or in another region. Names it does not know are left."""
    mode = kept.get("mode")
    return Registers(
        drained=kept.get("drained", {}),
        mode=Mode(mode) if mode in list(Mode) else None,
        weights=kept.get("weights", {}),
        tracks=kept.get("tracks", {}),
        home_epoch_floor=kept.get("home_epoch_floor", 0),
    )
