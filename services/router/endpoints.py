"""Where each part of each region listens: the endpoints file.

    regions:
      eu-central-1:
        edge: {listen: "127.0.0.1:8081"}
        otlp: "127.0.0.1:21002"            # the region's collector; no spans without it
        services:
          inventory:
            - {sidecar: "127.0.0.1:21041", app: "127.0.0.1:21040"}   # track: stable unless said

Every region of the topology and every service of the contract must be there: what is left out by
mistake would fail over silently. An `app` is on loopback: its sidecar speaks to it in the clear, so
both must run in the same task.
"""

import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.chassis import yaml_file
from services.chassis.topology import Topology
from services.router import addresses
from services.router.addresses import Address


class EndpointsError(Exception):
    """The file breaks a rule. The message says which, and where."""


STABLE = "stable"
TRACK_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")


@dataclass(frozen=True, slots=True)
class Host:
    """One running copy of a service, with the sidecar before it."""

    sidecar: Address  # Where edges send.
    app: Address  # Where the sidecar passes it on: on loopback.
    track: str = STABLE  # Version that runs there, for canary and blue/green.


@dataclass(frozen=True, slots=True)
class RegionEndpoints:
    edge: Address
    otlp: Address | None
    services: dict[str, tuple[Host, ...]]  # One host at least.


Endpoints = dict[str, RegionEndpoints]


def tracks_held(
    found: Endpoints, service: str, regions: Iterable[str], tracks: Mapping[str, int] | None
) -> Mapping[str, int] | None:
    """Returns ``tracks``, percents by name, as far as they can hold: None for using hosts alike.

    When a canary is over its hosts go, and what was set for it may stay: where nobody runs any
    track that has a share, everybody may be asked, rather than nobody.

    Args:
        found: whose hosts.
        service: that the tracks are of.
        regions: that may be asked.
        tracks: as set; None for not at all.
    """
    hosts = (host for region in regions for host in found[region].services[service])
    if tracks is None or not any(tracks.get(host.track, 0) > 0 for host in hosts):
        return None
    return tracks


def load(path: Path, topology: Topology, services: AbstractSet[str]) -> Endpoints:
    """Reads and checks ``path``.

    Raises:
        EndpointsError: in one line, what is wrong and where.
    """
    return yaml_file.read(path, lambda found: parse(found, topology, services), EndpointsError)


def parse(document: Any, topology: Topology, services: AbstractSet[str]) -> Endpoints:
    """Builds endpoints from plain data, checked. Raises EndpointsError."""
    top = _mapping(document, "endpoints", required={"regions"})
    regions = _mapping(top["regions"], "regions")
    _same_names("region", regions.keys(), topology.regions.keys(), "regions")
    return {str(name): _region(str(name), body, services) for name, body in regions.items()}


def _region(name: str, body: Any, services: AbstractSet[str]) -> RegionEndpoints:
    where = f"regions.{name}"
    fields = _mapping(body, where, required={"edge", "services"}, optional={"otlp"})
    edge = _mapping(fields["edge"], f"{where}.edge", required={"listen"})
    listed = _mapping(fields["services"], f"{where}.services")
    _same_names("service", listed.keys(), services, f"{where}.services")
    otlp = fields.get("otlp")
    return RegionEndpoints(
        edge=_address(edge["listen"], f"{where}.edge.listen"),
        otlp=None if otlp is None else _address(otlp, f"{where}.otlp"),
        services={
            str(service): _hosts(f"{where}.services.{service}", body)
            for service, body in listed.items()
        },
    )


def _hosts(where: str, body: Any) -> tuple[Host, ...]:
    if not isinstance(body, list) or not body:
        raise EndpointsError(f"{where}: want a list of hosts, and not an empty one")
    return tuple(_host(f"{where}[{i}]", fields) for i, fields in enumerate(body))


def _host(where: str, body: Any) -> Host:
    fields = _mapping(body, where, required={"sidecar", "app"}, optional={"track"})
    track = fields.get("track", STABLE)
    if not isinstance(track, str) or not TRACK_NAME.fullmatch(track):
        raise EndpointsError(f"{where}.track: want a name such as {STABLE} or canary")
    app = _address(fields["app"], f"{where}.app")
    if not app.loopback:
        raise EndpointsError(f"{where}.app: {app} is not on loopback, as the sidecar's own task is")
    return Host(_address(fields["sidecar"], f"{where}.sidecar"), app, track)


def _address(text: Any, where: str) -> Address:
    try:
        return addresses.parse(text)
    except ValueError as error:
        raise EndpointsError(f"{where}: {error}") from None


def _same_names(what: str, given: AbstractSet[Any], wanted: AbstractSet[str], where: str) -> None:
    for name in sorted(str(name) for name in given - wanted):
        raise EndpointsError(f"{where}: unknown {what} {name}; known: {', '.join(sorted(wanted))}")
    for name in sorted(wanted - given):
        raise EndpointsError(f"{where}: {what} {name} is missing")


def _mapping(
    value: Any,
    where: str,
    required: AbstractSet[str] = frozenset(),
    optional: AbstractSet[str] | None = None,
) -> dict[Any, Any]:
    if not isinstance(value, dict) or not value:
        raise EndpointsError(f"{where}: want a mapping, and not an empty one")
    for key in sorted(required - value.keys()):
        raise EndpointsError(f"{where}.{key}: missing")
    known = required | (optional or set())
    for key in sorted(str(key) for key in value.keys() - known) if required else ():
        raise EndpointsError(f"{where}.{key}: unknown; known: {', '.join(sorted(known))}")
    return value
