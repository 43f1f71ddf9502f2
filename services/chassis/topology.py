"""The topology: jurisdictions, their regions, where their edges are, who stands in for whom.

One declarative file feeds the router, the services, the local world and the deployment. A region is
in exactly one jurisdiction, and nothing in here can express a stand-in from another.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import combinations
from pathlib import Path
from typing import Any

from services.chassis import traffic, yaml_file
from services.chassis.traffic import Mode, Traffic

REGION_NAME = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
JURISDICTION_NAME = re.compile(r"[A-Z]{2,8}")
SECTIONS = {"jurisdictions", "regions", "edge"}
OPTIONAL_SECTIONS = {"latencies_ms"}


class TopologyError(Exception):
    """The file breaks a rule. The message says which, and where."""


class ForeignEdges(StrEnum):
    """What an edge outside of the jurisdiction does with one of its tenants."""

    REDIRECT = "redirect"  # Answers with the home endpoint; the payload is not read further.
    FORWARD = "forward"  # Passes the call to the home region.


@dataclass(frozen=True)
class Region:
    name: str
    jurisdiction: str
    endpoint: str  # URL of its edge.
    failover: tuple[str, ...]  # Siblings of the same jurisdiction, in order.
    location: tuple[float, float] | None = None  # Latitude and longitude, degrees.


@dataclass(frozen=True)
class Jurisdiction:
    name: str
    regions: tuple[str, ...]
    foreign_edges: ForeignEdges
    traffic: Traffic = field(default_factory=Traffic)  # Until operators set another.

    @property
    def issuer(self) -> str:
        """The issuer of its enriched tokens."""
        return f"https://identity.{self.name.lower()}.hemline.example"

    @property
    def audience(self) -> str:
        """The audience of its enriched tokens."""
        return f"hemline:{self.name}"


@dataclass(frozen=True)
class Topology:
    jurisdictions: dict[str, Jurisdiction]
    regions: dict[str, Region]
    cors_origins: tuple[str, ...]  # Web origins that may call the edges.
    reflection: bool  # Whether edges answer server reflection, for grpcurl.
    latencies_ms: dict[frozenset[str], float] = field(default_factory=dict)  # Round trip, by pair.

    def jurisdiction_of(self, region: str) -> Jurisdiction:
        """Returns the jurisdiction of a region of this topology. Raises KeyError for another."""
        return self.jurisdictions[self.regions[region].jurisdiction]

    def latency_ms(self, one: str, other: str) -> float | None:
        """Returns the round trip between two regions, or None if the file does not tell it."""
        return 0.0 if one == other else self.latencies_ms.get(frozenset((one, other)))

    def unknown_to(self, mode: Mode, jurisdiction: str) -> list[str]:
        """Says which facts are missing for steering a jurisdiction's traffic by ``mode``."""
        regions = self.jurisdictions[jurisdiction].regions
        if mode is Mode.LATENCY:
            return [
                f"latencies_ms tells none between {one} and {other}"
                for one, other in combinations(regions, 2)
                if self.latency_ms(one, other) is None
            ]
        if mode is Mode.GEOLOCATION:
            unknown = [name for name in regions if self.regions[name].location is None]
            return [f"regions.{name} has no location" for name in unknown]
        return []


def load(path: Path) -> Topology:
    """Reads and checks ``path``.

    Raises:
        TopologyError: in one line, what is wrong and where.
    """
    return yaml_file.read(path, parse, TopologyError)


def parse(document: Any) -> Topology:
    """Builds a topology from plain data, checked. Raises TopologyError."""
    top = _mapping(document, "topology", required=SECTIONS, optional=OPTIONAL_SECTIONS)
    jurisdictions = {
        str(name): _jurisdiction(str(name), body)
        for name, body in _mapping(top["jurisdictions"], "jurisdictions").items()
    }
    owner = _owners(jurisdictions)
    regions = {
        str(name): _region(str(name), body, owner)
        for name, body in _mapping(top["regions"], "regions").items()
    }
    for region, jurisdiction in owner.items():
        if region not in regions:
            raise TopologyError(
                f"jurisdictions.{jurisdiction}.regions: unknown region {region}; "
                f"known: {', '.join(sorted(regions))}"
            )
    edge = _mapping(top["edge"], "edge", required={"cors_origins", "reflection"})
    if not isinstance(edge["reflection"], bool):
        raise TopologyError("edge.reflection: want true or false")
    origins = _strings(edge["cors_origins"], "edge.cors_origins")
    found = Topology(
        jurisdictions,
        regions,
        cors_origins=origins,
        reflection=edge["reflection"],
        latencies_ms=_latencies(top.get("latencies_ms"), regions),
    )
    for name, each in jurisdictions.items():
        for problem in found.unknown_to(each.traffic.mode, name):
            raise TopologyError(f"jurisdictions.{name}.traffic.mode: {problem}")
    return found


def _jurisdiction(name: str, body: Any) -> Jurisdiction:
    where = f"jurisdictions.{name}"
    if not JURISDICTION_NAME.fullmatch(name):
        raise TopologyError(f"{where}: a jurisdiction is named by 2-8 capital letters")
    fields = _mapping(body, where, required={"regions", "foreign_edges"}, optional={"traffic"})
    regions = _strings(fields["regions"], f"{where}.regions")
    if not regions:
        raise TopologyError(f"{where}.regions: at least one region is needed")
    modes = [mode.value for mode in ForeignEdges]
    if fields["foreign_edges"] not in modes:
        raise TopologyError(f"{where}.foreign_edges: want one of {', '.join(modes)}")
    try:
        steered = traffic.parse(fields.get("traffic"), regions)
    except ValueError as problem:
        raise TopologyError(f"{where}.{problem}") from None
    return Jurisdiction(name, regions, ForeignEdges(fields["foreign_edges"]), steered)


def _owners(jurisdictions: dict[str, Jurisdiction]) -> dict[str, str]:
    owner: dict[str, str] = {}
    for jurisdiction in jurisdictions.values():
        for region in jurisdiction.regions:
            if region in owner:
                raise TopologyError(
                    f"jurisdictions.{jurisdiction.name}.regions: {region} is already in "
                    f"{owner[region]}; a region is in exactly one jurisdiction"
                )
            owner[region] = jurisdiction.name
    return owner


def _region(name: str, body: Any, owner: dict[str, str]) -> Region:
    where = f"regions.{name}"
    if not REGION_NAME.fullmatch(name):
        raise TopologyError(f"{where}: a region is named as AWS names it, such as eu-central-1")
    if name not in owner:
        raise TopologyError(f"{where}: in no jurisdiction; add it to one under jurisdictions")
    fields = _mapping(body, where, required={"endpoint", "failover"}, optional={"location"})
    if not str(fields["endpoint"]).startswith(("http://", "https://")):
        raise TopologyError(f"{where}.endpoint: want the URL of the region's edge")
    failover = _strings(fields["failover"], f"{where}.failover")
    for sibling in failover:
        if sibling == name or owner.get(sibling) != owner[name]:
            raise TopologyError(
                f"{where}.failover: {sibling} is not another region of {owner[name]}"
            )
    location = _location(fields.get("location"), f"{where}.location")
    return Region(name, owner[name], str(fields["endpoint"]), failover, location)


def _location(value: Any, where: str) -> tuple[float, float] | None:
    if value is None:
        return None
    match value:
        case [int() | float() as latitude, int() | float() as longitude] if (
            abs(latitude) <= 90 and abs(longitude) <= 180  # noqa: PLR2004  # Degrees.
        ):
            return float(latitude), float(longitude)
    raise TopologyError(f"{where}: want [latitude, longitude] in degrees")


def _latencies(body: Any, regions: dict[str, Region]) -> dict[frozenset[str], float]:
    """Reads `{one region: {another: milliseconds}}`, each pair once."""
    found: dict[frozenset[str], float] = {}
    for one, others in _mapping(body, "latencies_ms").items() if body is not None else ():
        for other, value in _mapping(others, f"latencies_ms.{one}").items():
            where = f"latencies_ms.{one}.{other}"
            for name in (one, other):
                if name not in regions:
                    raise TopologyError(f"{where}: unknown region {name}")
            if one == other or frozenset((one, other)) in found:
                raise TopologyError(f"{where}: each pair of two regions stands once")
            if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
                raise TopologyError(f"{where}: want a round trip in milliseconds")
            found[frozenset((str(one), str(other)))] = float(value)
    return found


def _mapping(
    value: Any,
    where: str,
    required: set[str] | None = None,
    optional: set[str] | None = None,
) -> dict[str, Any]:
    if not isinstance(value, dict) or not value:
        raise TopologyError(f"{where}: want a mapping, and not an empty one")
    if required is not None:
        for key in sorted(required - value.keys()):
            raise TopologyError(f"{where}.{key}: missing")
        known = required | (optional or set())
        for key in sorted(value.keys() - known):
            raise TopologyError(f"{where}.{key}: unknown; known: {', '.join(sorted(known))}")
    return value


def _strings(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise TopologyError(f"{where}: want a list of names")
    if len(set(value)) < len(value):
        raise TopologyError(f"{where}: a name stands twice")
    return tuple(value)
