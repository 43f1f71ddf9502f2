"""What a proxy tells of calls: to the routers of its region alone, and no more than it may."""

import re
from collections.abc import Iterator

from services.router import xds_types
from services.router.check.plain import Plain
from services.router.nodes import Kind, Node
from services.router.snapshot import Snapshot
from services.router.translate.facts import Facts

ROUTERS = "ads"
OPEN_TELEMETRY = (
    f"{xds_types.EXTENSIONS}access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig"
)
JWT = "envoy.filters.http.jwt_authn"
KINDS = (xds_types.LISTENER, xds_types.ROUTES, xds_types.CLUSTER, xds_types.EXTENSION)
LOGS = frozenset({"access_log", "upstream_log"})

WAY = frozenset({"%UPSTREAM_HOST%", "%UPSTREAM_HOSTS_ATTEMPTED%", "%RESPONSE_CODE_DETAILS%"})
"""Where a call went and who answered it: ours, whoever called."""

CLIENTS = frozenset({"%PATH(NQ):120%"})
"""What a client wrote. Not to be told of a client from another jurisdiction."""

CLAIMS = ("jurisdiction", "tenant")
SETTINGS = frozenset({"@type", "common_config", "body", "stat_prefix"})
LOGGER = frozenset({"name", "filter", "typed_config"})
SERVICE = frozenset({"envoy_grpc", "timeout"})
TRANSPORT = frozenset(
    {
        "log_name",
        "grpc_service",
        "transport_api_version",
        "buffer_flush_interval",
        "buffer_size_bytes",
    }
)
_FIELD = re.compile(r"%[^%]*%")


def problems(facts: Facts, node: Node, snapshot: Snapshot) -> Iterator[str]:
    own = facts.jurisdiction.name
    wanted = _wanted(facts, node)
    managers = list(_managers(snapshot))
    for name, manager in managers:
        loggers = manager.get("access_log", [])
        if [one.get("filter") for one in loggers] != [accepted for accepted, _ in wanted]:
            yield f"listener {name} does not report each call, or mixes those of jurisdictions"
            continue
        for logger, (_, jurisdiction) in zip(loggers, wanted, strict=True):
            yield from _logger(name, logger, jurisdiction, own)
    if _logs(snapshot) != sum("access_log" in manager for _, manager in managers):
        yield "calls are reported by somebody else than the connection manager"


def _wanted(facts: Facts, node: Node) -> list[tuple[Plain, str]]:
    """Which calls each logger takes, and of whose tokens they are."""
    own = facts.jurisdiction.name
    foreign = sorted(facts.topology.jurisdictions.keys() - {own})
    match node.kind:
        case Kind.EDGE:
            others = [_signed_by(name, wanted=False) for name in foreign]
            mine = {"and_filter": {"filters": [*others, _NO_PROBE]}} if others else _NO_PROBE
            return [(mine, own), *((_signed_by(name, wanted=True), name) for name in foreign)]
        case Kind.SIDECAR:
            return [(_NO_PROBE, own)]
        case Kind.CLIENT:
            return []


def _logs(snapshot: Snapshot) -> int:
    return sum(
        len(LOGS & one.keys())
        for kind in KINDS
        for resource in snapshot.of(kind).values()
        for one in resource.mappings
    )


def _managers(snapshot: Snapshot) -> Iterator[tuple[str, Plain]]:
    for name, found in snapshot.of(xds_types.LISTENER).items():
        for one in found.mappings:
            if one.get("@type", "").endswith(".HttpConnectionManager"):
                yield name, one


def _logger(name: str, logger: Plain, jurisdiction: str, own: str) -> Iterator[str]:
    config = logger.get("typed_config", {})
    transport = config.get("common_config", {})
    service = transport.get("grpc_service", {})
    said = config.get("body", {})
    known = config.get("@type") == OPEN_TELEMETRY and not config.keys() - SETTINGS
    if not known or logger.keys() != LOGGER or said.keys() != {"string_value"}:
        yield f"listener {name} reports calls in a way that tells more than it should"
    asked = service.get("envoy_grpc") == {"cluster_name": ROUTERS}
    if not asked or service.keys() - SERVICE or transport.keys() - TRANSPORT:
        yield f"listener {name} reports calls to somebody else than its routers"
    body = said.get("string_value", "")
    allowed = WAY
    if jurisdiction == own:
        claims = {f"%DYNAMIC_METADATA({JWT}:{own}:{claim})%" for claim in CLAIMS}
        allowed = WAY | CLIENTS | claims
    for field in sorted(set(_FIELD.findall(body)) - allowed):
        yield f"listener {name} reports {field} of calls from {jurisdiction}"


_NO_PROBE = {
    "header_filter": {
        "header": {
            "name": ":path",
            "string_match": {"exact": "/grpc.health.v1.Health/Check"},
            "invert_match": True,
        }
    }
}


def _signed_by(jurisdiction: str, *, wanted: bool) -> Plain:
    matcher = {
        "filter": JWT,
        "path": [{"key": jurisdiction}, {"key": "iss"}],
        "value": {"present_match": wanted},
    }
    return {"metadata_filter": {"matcher": matcher, "match_if_key_not_found": not wanted}}
