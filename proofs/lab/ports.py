"""Addresses on loopback that nobody uses."""

import random
import socket

LOWEST, HIGHEST = 10_000, 32_000
"""Below the ports that the kernel gives to outgoing connections: a dead server's stays free."""


class Ports:
    """Hands out `127.0.0.1:port`, none twice."""

    def __init__(self) -> None:
        self._next = random.randrange(LOWEST, HIGHEST - 2_000)  # noqa: S311  # Two labs at once.

    def one(self) -> str:
        while not _free(self._next):
            self._next += 1
        self._next += 1
        return f"127.0.0.1:{self._next - 1}"


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
