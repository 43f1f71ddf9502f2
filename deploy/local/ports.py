"""Which port is whose. Everything listens on 127.0.0.1."""

import contextlib
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psutil

BASE_PORT = 21000
EDGE_PORT = 8081
HIGHEST_PORT = 65535
RELAYED = 40
"""Ports of other regions that one region may call."""
SERVICES = ("identity", "router", "forecast", "inventory")


@dataclass(frozen=True, slots=True)
class RouterPorts:
    """The ports of one router process and of the sidecar before it."""

    grpc: int
    sidecar: int
    sidecar_admin: int
    xds: int


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of one region.

    A block of a hundred: servers first, the copies of the siblings' PostgreSQL among them, then ten
    for each service (its gRPC, its sidecar, the sidecar's admin page, and for the router xDS; then
    the same for a second router), then the edge, and at last the relay's for what this region
    calls in others.
    """

    base: int
    edge: int

    @property
    def postgres(self) -> int:
        return self.base

    @property
    def redis(self) -> int:
        return self.base + 1

    @property
    def otlp(self) -> int:
        return self.base + 2

    @property
    def edge_admin(self) -> int:
        return self.base + 52

    def standby(self, number: int) -> int:
        """Of the jurisdiction's region with this number: its PostgreSQL's copy in this region."""
        return self.base + 3 + number

    def relay(self, number: int) -> int:
        """Of the relay: the way to what this region calls elsewhere, with this number."""
        return self.base + 60 + number

    def router(self, number: int) -> RouterPorts:
        """Of the region's router with this number, from 1."""
        first = self.grpc("router") + 4 * (number - 1)
        return RouterPorts(first, first + 1, first + 2, first + 3)

    def grpc(self, service: str) -> int:
        return self.base + 10 * (1 + SERVICES.index(service))

    def sidecar(self, service: str) -> int:
        return self.grpc(service) + 1

    def sidecar_admin(self, service: str) -> int:
        return self.grpc(service) + 2


def region_ports(regions: Sequence[str], base_port: int, edge_port: int) -> dict[str, Ports]:
    """Gives each region its block, in the topology's order."""
    return {
        region: Ports(base_port + 100 * number, edge_port + number)
        for number, region in enumerate(regions)
    }


def taken(port: int) -> bool:
    """Whether somebody listens on ``port`` of 127.0.0.1, or keeps others from it."""
    with socket.socket() as probe:
        # As servers do: an old connection that lingers is no reason to refuse.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return True
    return False


def holder(port: int) -> str:
    """Names the process that listens on ``port``, as far as this user may see it."""
    try:
        found = psutil.net_connections(kind="tcp")
    except (psutil.AccessDenied, OSError):
        found = []
    for connection in found:
        address: Any = connection.laddr
        listening = connection.status == psutil.CONN_LISTEN and address.port == port
        if listening and connection.pid:
            with contextlib.suppress(psutil.Error):
                return f"{psutil.Process(connection.pid).name()}, process {connection.pid}"
    return f"a process that user {os.geteuid()} cannot see"
