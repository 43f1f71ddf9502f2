"""Whether a call was served inside of the jurisdiction of its token. Pure.

Proxies report where each call went (`translate.access_log` says how); this reads it, compares it
with the topology, and counts. A call is outside if any host that it was sent to is: that it failed
there makes no difference to whoever's data it carried.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from services.chassis.topology import Topology
from services.router.endpoints import Endpoints
from services.router.nodes import Node
from services.router.translate import access_log

HOUR_NANOS = 3600 * 10**9
ANSWERED = ("via_upstream", "upstream_reset_after_response_started")
"""How Envoy names an answer, or its beginning, that is not its own."""

UNKNOWN_REGION = "unknown"
"""Of an address that is no sidecar's, and no service's of the region that reports. In no
jurisdiction, and so outside of each."""

OTHER_METHOD = "other"
"""Stands for a path that is no method: it may be anything that a client wrote."""

VIOLATIONS_KEPT = 100
"""Of each flush. All are counted; a flood of them must not be one of rows."""

TENANT_COUNTS_KEPT = 200_000
"""Some 100 MB, while they cannot be brought to the database: a day of 4,000 tenants, each served in
one region. What comes beyond is in the totals, and in no tenant's own count."""

FIELDS = 6
WAYS_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Key:
    """Calls that are counted together."""

    hour: int  # Since 1970.
    token_jurisdiction: str  # Empty without a token that holds.
    served_region: str  # Empty if nobody answered.
    reporter: str  # `edge` or `sidecar`.


@dataclass(slots=True)
class Count:
    calls: int = 0
    violations: int = 0

    def add(self, other: "Count") -> None:
        self.calls += other.calls
        self.violations += other.violations


@dataclass(frozen=True, slots=True)
class Violation:
    """One call that went where it must not. Without tenant and user."""

    time_nanos: int  # Since 1970.
    token_jurisdiction: str
    served_region: str  # Where it went, whether or not it was answered there.
    node: str
    method: str
    trace_id: str


@dataclass(slots=True)
class Tally:
    """What has been counted since the last flush."""

    totals: dict[Key, Count] = field(default_factory=dict)
    tenants: dict[UUID, dict[Key, Count]] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)
    unreadable: int = 0  # Entries that were none.
    unkept: int = 0  # Calls that stand in no tenant's count, for want of room.
    _tenant_counts: int = field(default=0, init=False)

    def __bool__(self) -> bool:
        return bool(self.totals or self.unreadable)

    def merge(self, other: "Tally") -> None:
        _merge(self.totals, other.totals)
        for tenant, counts in other.tenants.items():
            for key, count in counts.items():
                self.count_tenant(tenant, key, count)
        self.violations = [*self.violations, *other.violations][:VIOLATIONS_KEPT]
        self.unreadable += other.unreadable
        self.unkept += other.unkept

    def count_tenant(self, tenant: UUID, key: Key, count: Count) -> None:
        """Adds ``count`` to the tenant's, if there is room for it."""
        counts = self.tenants.get(tenant, {})
        if key not in counts:
            if self._tenant_counts >= TENANT_COUNTS_KEPT:
                self.unkept += count.calls
                return
            self._tenant_counts += 1
            self.tenants[tenant] = counts
        _count(counts, key, count)


class Entry(NamedTuple):
    """One call, as a proxy has reported it."""

    time_nanos: int
    trace_id: bytes
    body: str


class Auditor:
    """Judges the entries of one region's proxies. For one event loop."""

    def __init__(
        self, topology: Topology, endpoints: Endpoints, region: str, paths: Iterable[str]
    ) -> None:
        self._topology = topology
        self._own = topology.jurisdiction_of(region).name
        self._paths = frozenset(paths)
        self._regions = _regions(endpoints, region)
        # Calls that went the same way fare the same: some dozens of ways, millions of calls.
        self._known: dict[_Way, _Verdict] = {}
        self._tally = Tally()

    def note(self, node: Node, entries: Iterable[Entry]) -> None:
        """Counts what ``node`` reports. What cannot be read is counted as unreadable."""
        for entry in entries:
            fields = entry.body.split(access_log.SEPARATOR, FIELDS - 1)
            if len(fields) != FIELDS:
                self._tally.unreadable += 1
                continue
            jurisdiction, tenant, host, tried, details, path = fields
            verdict = self._verdict(_Way(jurisdiction, host, tried, details))
            one = Count(1, int(verdict.outside != ""))
            hour = entry.time_nanos // HOUR_NANOS
            key = Key(hour, verdict.token_jurisdiction, verdict.served_region, node.kind.value)
            _count(self._tally.totals, key, one)
            if verdict.token_jurisdiction == self._own and (found := _uuid(tenant)):
                self._tally.count_tenant(found, key, one)
            if verdict.outside:
                self._accuse(node, entry, verdict, path)

    def take(self) -> Tally:
        """Returns what has been counted, and starts again from nothing."""
        taken, self._tally = self._tally, Tally()
        return taken

    def give_back(self, tally: Tally) -> None:
        """Counts again what could not be kept."""
        self._tally.merge(tally)

    def _verdict(self, way: "_Way") -> "_Verdict":
        kept = self._known.get(way)
        if kept is None:
            if len(self._known) >= WAYS_REMEMBERED:
                self._known.clear()
            kept = self._known[way] = self._judge(way)
        return kept

    def _judge(self, way: "_Way") -> "_Verdict":
        known = self._topology.jurisdictions.get(way.jurisdiction)
        asked = [one.strip() for one in (way.host, *way.tried.split(","))]
        regions = [
            self._regions.get(one, UNKNOWN_REGION) for one in asked if one != access_log.NOTHING
        ]
        outside = [region for region in regions if known and region not in known.regions]
        served = regions[0] if regions and way.details.startswith(ANSWERED) else ""
        return _Verdict(known.name if known else "", served, next(iter(outside), ""))

    def _accuse(self, node: Node, entry: Entry, verdict: "_Verdict", path: str) -> None:
        if len(self._tally.violations) < VIOLATIONS_KEPT:
            self._tally.violations.append(
                Violation(
                    entry.time_nanos,
                    verdict.token_jurisdiction,
                    verdict.outside,
                    str(node),
                    path if path in self._paths else OTHER_METHOD,
                    entry.trace_id.hex(),
                )
            )


class _Way(NamedTuple):
    jurisdiction: str
    host: str
    tried: str
    details: str


class _Verdict(NamedTuple):
    token_jurisdiction: str
    served_region: str
    outside: str  # The region where it must not have gone; empty if there is none.


def _regions(endpoints: Endpoints, own: str) -> dict[str, str]:
    """Whose each address is, as the proxies of the region ``own`` know it.

    A service listens on loopback of its sidecar's machine, so that regions may have the same
    addresses for theirs: only the own region's mean anything here. One that is a sidecar's as well
    is the sidecar's: in doubt a call is outside.
    """
    apps = {str(host.app): own for hosts in endpoints[own].services.values() for host in hosts}
    sidecars = {
        str(host.sidecar): region
        for region, found in endpoints.items()
        for hosts in found.services.values()
        for host in hosts
    }
    return apps | sidecars


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _count(counts: dict[Key, Count], key: Key, one: Count) -> None:
    if (found := counts.get(key)) is None:
        counts[key] = found = Count()
    found.add(one)


def _merge(counts: dict[Key, Count], others: Mapping[Key, Count]) -> None:
    for key, other in others.items():
        _count(counts, key, other)
