"""Which proxies this router configures, and what each has accepted and refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from services.router.stream import Verdict

REASON_LIMIT = 500
GONE_LIMIT = 1000
"""Proxies remembered after their stream has ended; the one gone longest is dropped first."""


@dataclass(slots=True)
class Resources:
    """What a proxy has of one type."""

    accepted_version: str = ""
    refused_version: str = ""  # Empty once something newer is accepted.
    refused_reason: str = ""
    latency_seconds: float | None = None  # From sending to acceptance, the last time.
    sent_at: float = 0.0


@dataclass(slots=True)
class Proxy:
    """One proxy, by the node id that it gives. Times are of a monotonic clock."""

    node: str
    streams: int = 0
    types: dict[str, Resources] = field(default_factory=dict)  # By type URL.
    good_version: str = ""  # Of the last snapshot of which it has accepted everything.

    def sent(self, type_url: str, now: float) -> None:
        self.types.setdefault(type_url, Resources()).sent_at = now

    def judged(self, verdict: Verdict, now: float) -> float:
        """Takes in what the proxy says of what it was sent last. Returns the seconds between."""
        found = self.types.setdefault(verdict.type_url, Resources(sent_at=now))
        taken = now - found.sent_at
        if verdict.error is None:
            found.accepted_version = verdict.version
            found.refused_version = found.refused_reason = ""
            found.latency_seconds = taken
        else:
            found.refused_version = verdict.version
            found.refused_reason = verdict.error[:REASON_LIMIT]
        return taken


class Registry:
    """Proxies with a stream to this router, and those that had one. For one event loop."""

    def __init__(self) -> None:
        self._proxies: dict[str, Proxy] = {}

    @contextmanager
    def stream(self, node: str) -> Iterator[Proxy]:
        """A stream of ``node``, until left."""
        found = self._proxies.setdefault(node, Proxy(node))
        found.streams += 1
        try:
            yield found
        finally:
            found.streams -= 1
            if not found.streams:
                self._gone(node)

    def proxies(self) -> list[Proxy]:
        """By node id."""
        return [self._proxies[node] for node in sorted(self._proxies)]

    def _gone(self, node: str) -> None:
        self._proxies[node] = self._proxies.pop(node)
        gone = [one.node for one in self._proxies.values() if not one.streams]
        for oldest in gone[: max(0, len(gone) - GONE_LIMIT)]:
            del self._proxies[oldest]
