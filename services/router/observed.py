"""What the region's edges report: which hosts are healthy, and how many calls go where.

A host counts as healthy if every edge that reports says so: before a region is drained, one edge
that cannot reach its stand-in is reason enough to wait.
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

Place = tuple[str, str]  # Region, service.


@dataclass(frozen=True, slots=True)
class Load:
    calls_per_second: float
    errors_per_second: float  # Of those calls.


@dataclass(slots=True)
class Report:
    """The last word of one edge."""

    hosts: Mapping[Place, Mapping[str, bool]] = field(default_factory=dict)
    """For each address whether it is healthy."""
    loads: Mapping[Place, Load] = field(default_factory=dict)
    time: datetime | None = None  # Of `hosts`.


class Observed:
    """Reports of the edges whose streams are open. For one event loop."""

    def __init__(self) -> None:
        self._reports: dict[str, Report] = {}  # By node id.
        self._changed = asyncio.Event()

    def take_health(
        self, node: str, hosts: Mapping[Place, Mapping[str, bool]], now: datetime
    ) -> None:
        """Replaces what ``node`` has said of the health of hosts."""
        report = self._reports.setdefault(node, Report())
        before, report.hosts, report.time = report.hosts, hosts, now
        if before != hosts:
            self._tell()

    def take_load(self, node: str, loads: Mapping[Place, Load]) -> None:
        """Replaces what ``node`` has said of the calls that it sends."""
        report = self._reports.setdefault(node, Report())
        before, report.loads = report.loads, loads
        if before != loads:
            self._tell()

    def forget_health(self, node: str) -> None:
        """Says that ``node`` reports no more."""
        self._forget(node, Report(loads=self._reports.get(node, Report()).loads))

    def forget_load(self, node: str) -> None:
        """Says that ``node`` reports no more."""
        before = self._reports.get(node, Report())
        self._forget(node, Report(hosts=before.hosts, time=before.time))

    def healthy_hosts(self, region: str, service: str) -> tuple[int, int] | None:
        """Returns how many hosts are healthy, of how many; None if no report tells."""
        verdicts: dict[str, bool] = {}
        for report in self._reports.values():
            for address, healthy in report.hosts.get((region, service), {}).items():
                verdicts[address] = verdicts.get(address, True) and healthy
        return (sum(verdicts.values()), len(verdicts)) if verdicts else None

    def load(self, region: str, service: str) -> Load | None:
        """Returns what all edges together send there; None if no report tells."""
        found = [one.loads[region, service] for one in self._with_load(region, service)]
        if not found:
            return None
        return Load(
            sum(one.calls_per_second for one in found),
            sum(one.errors_per_second for one in found),
        )

    def report_time(self, region: str, service: str) -> datetime | None:
        """Returns when the last health report on this came; None if none has."""
        place = region, service
        times = (one.time for one in self._reports.values() if place in one.hosts)
        return max((time for time in times if time is not None), default=None)

    async def changed(self) -> None:
        """Waits until a report says something else than the one before."""
        await self._changed.wait()

    def _with_load(self, region: str, service: str) -> Iterator[Report]:
        return (one for one in self._reports.values() if (region, service) in one.loads)

    def _forget(self, node: str, rest: Report) -> None:
        if rest == Report():
            self._reports.pop(node, None)
        else:
            self._reports[node] = rest
        self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
