"""Addresses as `host:port`, and as Envoy writes them."""

import ipaddress
from dataclasses import dataclass
from typing import Any

HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Address:
    ip: str
    port: int

    def __str__(self) -> str:
        return f"[{self.ip}]:{self.port}" if ":" in self.ip else f"{self.ip}:{self.port}"

    @property
    def loopback(self) -> bool:
        return ipaddress.ip_address(self.ip).is_loopback

    def envoy(self) -> dict[str, Any]:
        """As `envoy.config.core.v3.Address`."""
        return {"socket_address": {"address": self.ip, "port_value": self.port}}

    def endpoint(self) -> dict[str, Any]:
        """As `envoy.config.endpoint.v3.LbEndpoint`."""
        return {"endpoint": {"address": self.envoy()}}


def parse(text: object) -> Address:
    """Reads `127.0.0.1:80` or `[::1]:80`. Names are refused: endpoint discovery takes IPs alone.

    Raises:
        ValueError: it is neither.
    """
    host, _, port = str(text).rpartition(":")
    problem = f"{text!r} is not an address; want IP:port, such as 127.0.0.1:8081"
    try:
        ip = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        raise ValueError(problem) from None
    if not (port.isascii() and port.isdecimal() and 0 < int(port) <= HIGHEST_PORT):
        raise ValueError(problem)
    return Address(str(ip), int(port))
