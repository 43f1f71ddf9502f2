"""What a proxy reports of each call, to the routers of its own region, for the residency audit.

Only the fields below leave the proxy. Of a token of another jurisdiction that is its jurisdiction
and nothing else, see docs/adr/0010. Entries go the way of xDS, over the bootstrap's cluster `ads`.
With no router there they are dropped, and Envoy counts them; no call waits for them.
"""

from typing import Any

from services.router import xds_types
from services.router.translate.facts import HEALTH, Facts
from services.router.translate.jwt import METADATA

CLUSTER = "ads"
"""Of the bootstrap, not of the snapshot."""

LOG_NAME = "residency"
FLUSH_INTERVAL = "1s"
BUFFER_BYTES = 64 * 1024
EXPORT_TIMEOUT = "5s"
"""A frozen router must not make its proxies keep what they could not send."""

NOTHING = "-"
"""What Envoy writes for a field without a value."""

SEPARATOR = "\t"
"""Between fields. The path comes last: of all fields, only that one is what a client wrote."""

_TYPE = f"{xds_types.EXTENSIONS}access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig"
_WAY = ("%UPSTREAM_HOST%", "%UPSTREAM_HOSTS_ATTEMPTED%", "%RESPONSE_CODE_DETAILS%")


def of_edge(facts: Facts) -> list[dict[str, Any]]:
    """`access_log` of an edge's connection manager: own tenants' calls, and each foreign's."""
    foreign = sorted(facts.topology.jurisdictions.keys() - {facts.jurisdiction.name})
    without = [_signed_by(name, wanted=False) for name in foreign]
    return [
        _logger(_own(facts.jurisdiction.name), [*without, _NO_PROBE]),
        *(_logger(_foreign(name), [_signed_by(name, wanted=True)]) for name in foreign),
    ]


def of_sidecar(facts: Facts) -> list[dict[str, Any]]:
    """`access_log` of a sidecar's connection manager. It can read its own jurisdiction's tokens."""
    return [_logger(_own(facts.jurisdiction.name), [_NO_PROBE])]


def _own(jurisdiction: str) -> str:
    claims = [f"%DYNAMIC_METADATA({METADATA}:{jurisdiction}:{name})%" for name in _CLAIMS]
    return SEPARATOR.join((*claims, *_WAY, "%PATH(NQ):120%"))


def _foreign(jurisdiction: str) -> str:
    """The same fields, of which the first is a constant, and nothing is the client's."""
    return SEPARATOR.join((jurisdiction, NOTHING, *_WAY, NOTHING))


_CLAIMS = ("jurisdiction", "tenant")

# Edges ask for health twice a second. Whoever wants to hide a call behind this path has none.
_NO_PROBE = {
    "header_filter": {
        "header": {
            "name": ":path",
            "string_match": {"exact": f"{HEALTH}Check"},
            "invert_match": True,
        }
    }
}


def _signed_by(jurisdiction: str, *, wanted: bool) -> dict[str, Any]:
    """Passes calls whose token that jurisdiction's keys have signed, or all others."""
    # Of a matcher, this filter reads path and value; `invert` it passes over in silence.
    matcher = {
        "filter": METADATA,
        "path": [{"key": jurisdiction}, {"key": "iss"}],
        "value": {"present_match": wanted},
    }
    return {"metadata_filter": {"matcher": matcher, "match_if_key_not_found": not wanted}}


def _logger(body: str, filters: list[dict[str, Any]]) -> dict[str, Any]:
    service = {"envoy_grpc": {"cluster_name": CLUSTER}, "timeout": EXPORT_TIMEOUT}
    config = {
        "@type": _TYPE,
        # Envoy would rather have these at the top, where xds-protos does not know them yet.
        "common_config": {
            "log_name": LOG_NAME,
            "grpc_service": service,
            "transport_api_version": "V3",
            "buffer_flush_interval": FLUSH_INTERVAL,
            "buffer_size_bytes": BUFFER_BYTES,
        },
        "body": {"string_value": body},
        "stat_prefix": f"{LOG_NAME}.",
    }
    accepted = filters[0] if len(filters) == 1 else {"and_filter": {"filters": filters}}
    return {
        "name": "envoy.access_loggers.open_telemetry",
        "filter": accepted,
        "typed_config": config,
    }
