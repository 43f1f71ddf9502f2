"""What the region's edges report: which hosts are healthy, and how many calls go where.

A host counts as healthy if every edge that reports says so: before a region is drained, one edge
that cannot reach its stand-in is reason enough to wait. Edges report every second. What one has
said last does not count for long: frozen or cut off, it keeps its stream and says nothing.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.chassis.clock import Clock

Place = tuple[str, str]  # Region, service.


@dataclass(frozen=True, slots=True)
class Load:
    calls_per_second: float
    errors_per_second: float  # Of those calls.


Hosts = Mapping[Place, Mapping[str, bool]]
"""For each address whether it is healthy."""
Stream = object
"""Over which a report came. After a break an edge may be back before its old stream has ended."""


@dataclass(frozen=True, slots=True)
class HealthReport:
    """The last word of one edge on the health of hosts."""

    stream: Stream
    hosts: Hosts
    time: datetime


@dataclass(frozen=True, slots=True)
class LoadReport:
    """The last word of one edge on the calls that it sends."""

    stream: Stream
    loads: Mapping[Place, Load]
    time: datetime


COUNTS = timedelta(seconds=5)
"""For so long."""


class Observed:
    """Reports of the edges whose streams are open. For one event loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._health: dict[str, HealthReport] = {}  # By node id.
        self._loads: dict[str, LoadReport] = {}

    def take_health(self, node: str, stream: Stream, hosts: Hosts) -> None:
        """Replaces what ``node`` has said of the health of hosts."""
        self._health[node] = HealthReport(stream, hosts, self._clock())

    def take_load(self, node: str, stream: Stream, loads: Mapping[Place, Load]) -> None:
        """Replaces what ``node`` has said of the calls that it sends."""
        self._loads[node] = LoadReport(stream, loads, self._clock())

    def ended(self, node: str, stream: Stream) -> None:
        """Forgets what ``node`` has said last, if that was over ``stream``."""
        _drop(self._health, node, stream)
        _drop(self._loads, node, stream)

    def healthy_hosts(
        self, region: str, service: str, among: AbstractSet[str] | None = None
    ) -> tuple[int, int] | None:
        """Returns how many hosts are healthy, of how many; None if no report tells now.

        Only the addresses ``among`` are counted; None for all.
        """
        verdicts: dict[str, bool] = {}
        for report in self._newest(self._health):
            for address, healthy in report.hosts.get((region, service), {}).items():
                if among is None or address in among:
                    verdicts[address] = verdicts.get(address, True) and healthy
        return (sum(verdicts.values()), len(verdicts)) if verdicts else None

    def load(self, region: str, service: str) -> Load | None:
        """Returns what all edges together send there; None if no report tells now."""
        place = region, service
        found = [one.loads[place] for one in self._newest(self._loads) if place in one.loads]
        if not found:
            return None
        return Load(
            sum(one.calls_per_second for one in found),
            sum(one.errors_per_second for one in found),
        )

    def report_time(self, region: str, service: str) -> datetime | None:
        """Returns when the last health report on this came; None if none has."""
        place = region, service
        times = (one.time for one in self._health.values() if place in one.hosts)
        return max(times, default=None)

    def _newest(self, reports: Mapping[str, Any]) -> list[Any]:
        oldest = self._clock() - COUNTS
        return [report for report in reports.values() if report.time >= oldest]


def _drop(reports: dict[str, Any], node: str, stream: Stream) -> None:
    if node in reports and reports[node].stream is stream:
        del reports[node]
