"""What one region calls in another, and the relay's addresses for it.

Every process is given addresses as seen from its own region: what stands beside it directly, what
stands elsewhere through the relay, which can delay it and cut it off.
"""

from collections.abc import Iterator

from deploy.local.parts import PlanError
from deploy.local.ports import RELAYED, SERVICES, Ports
from deploy.local.routes import Route
from services.chassis.topology import Topology

Way = tuple[str, str, int]
"""The region that calls, the one that is called, the port that is meant."""


class Wan:
    """The network between the regions of one world."""

    def __init__(self, topology: Topology, ports: dict[str, Ports], *, latency: bool) -> None:
        """With ``latency``, delays are those of the topology.

        Raises:
            PlanError: there are not ports enough.
        """
        self._topology = topology
        self._latency = latency
        self._listen: dict[Way, int] = {}
        for caller, own in ports.items():
            for number, (called, port) in enumerate(_called(topology, ports, caller)):
                if number >= RELAYED:
                    raise PlanError(f"{caller} calls more ports of other regions than {RELAYED}")
                self._listen[caller, called, port] = own.relay(number)

    @property
    def ports(self) -> tuple[int, ...]:
        """Where the relay listens."""
        return tuple(self._listen.values())

    def port(self, caller: str, called: str, port: int) -> int:
        """Where a process of ``caller`` finds what listens on ``port`` in ``called``."""
        return port if caller == called else self._listen[caller, called, port]

    def address(self, caller: str, called: str, port: int) -> str:
        """The same as host:port."""
        return f"127.0.0.1:{self.port(caller, called, port)}"

    def routes(self) -> tuple[Route, ...]:
        """As the relay is to begin with."""
        return tuple(
            Route(
                f"127.0.0.1:{listen}",
                f"127.0.0.1:{port}",
                caller,
                called,
                self.delay_ms(caller, called),
            )
            for (caller, called, port), listen in self._listen.items()
        )

    def delay_ms(self, caller: str, called: str) -> float:
        """One way, when nothing is the matter."""
        round_trip_ms = self._topology.latency_ms(caller, called) if self._latency else 0.0
        return (round_trip_ms or 0.0) / 2


def _called(
    topology: Topology, all_ports: dict[str, Ports], caller: str
) -> Iterator[tuple[str, int]]:
    """Whatever a process of ``caller`` may have to call in other regions, by region and port."""
    family = topology.jurisdiction_of(caller).regions
    for called, ports in all_ports.items():
        if called == caller:
            continue
        # Of foreign regions as well: an edge may pass their own tenants' calls on to them.
        yield from ((called, ports.sidecar(service)) for service in SERVICES)
        yield called, ports.router(2).sidecar
        if called not in family:
            yield called, ports.edge
            continue
        yield called, ports.grpc("identity")
        yield called, ports.postgres
        copies = (number for number, home in enumerate(family) if home != called)
        yield from ((called, ports.standby(number)) for number in copies)
