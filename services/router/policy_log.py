"""The log of what operators have set, and the policy that follows from it. Pure.

A policy is a map of registers: the drain of each region, mode and weights, the tracks of each
service, the home-epoch floor. The last change of a register wins, by `Change.key`; the floor is the
highest that was ever set. So routers may take changes while they cannot reach each other, and all
of them come to the same policy once they have the same changes, in whatever order these arrived.
"""

import hashlib
import json
from bisect import bisect_left, bisect_right
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
    """Returns what follows from ``changes``, the same for the same set of them."""
    history = History(topology, jurisdiction)
    history.add(changes)
    return history.merged


@dataclass(eq=False)
class History:
    """Changes in the order of their keys, and what held right after each of them.

    Two operators who are cut off from each other may each drain what the other counts on. The
    newer of the two changes is then ignored, for good.

    A change that is newer than all others, as nearly every one is, costs no more in a long history
    than in a short one. It holds about 2 kB for each.
    """

    _topology: Topology
    _jurisdiction: str
    _changes: dict[Key, Change] = field(default_factory=dict)
    _keys: list[Key] = field(default_factory=list)  # In order.
    _merged: list[Merged] = field(default_factory=list)  # Before all of them, and after each.

    def __post_init__(self) -> None:
        if not self._merged:
            start = rules.baseline(self._topology, self._jurisdiction)
            self._merged.append(Merged(start, 0, frozenset()))

    @property
    def merged(self) -> Merged:
        return self._merged[-1]

    @property
    def changes(self) -> list[Change]:
        """Newest first."""
        return [self._changes[key] for key in reversed(self._keys)]

    def after(self, key: Key) -> Merged:
        """Returns what held right after the change ``key``, by all that is known now."""
        return self._merged[bisect_right(self._keys, key)]

    def of_request(self, request_id: UUID) -> list[Change]:
        """Returns what a request has changed: two, if it was sent to both sides of a cut."""
        return [one for one in self._changes.values() if one.request_id == request_id]

    def joined(self, changes: Iterable[Change]) -> "History":
        """Returns this history with ``changes`` in it."""
        made = replace(
            self,
            _changes=dict(self._changes),
            _keys=list(self._keys),
            _merged=list(self._merged),
        )
        made.add(changes)
        return made

    def add(self, changes: Iterable[Change]) -> None:
        """Takes in ``changes``. Those that are known stay as they are."""
        new = {one.key: one for one in changes if one.key not in self._changes}
        if not new:
            return
        self._changes |= new
        start = bisect_left(self._keys, min(new))
        later = sorted([*self._keys[start:], *new])
        del self._keys[start:]
        del self._merged[start + 1 :]
        for key in later:
            self._keys.append(key)
            self._merged.append(self._next(self._changes[key]))

    def _next(self, change: Change) -> Merged:
        before, registers = self.merged, change.registers
        known = self._topology.jurisdictions[self._jurisdiction].regions
        wanted = applied(before.policy, _known(registers, frozenset(known)))
        if registers.drained and rules.stranded(self._topology, self._jurisdiction, wanted.drained):
            return Merged(before.policy, change.version, before.ignored | {change.key})
        # The topology may have changed since: what cannot hold any more leaves what held before.
        if registers.mode and rules.problems(self._topology, self._jurisdiction, wanted):
            wanted = replace(wanted, mode=before.policy.mode, weights=before.policy.weights)
        return Merged(wanted, change.version, before.ignored)


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
