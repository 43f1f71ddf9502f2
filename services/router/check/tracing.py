"""What a proxy tells in spans: to its region's own collector, and nothing of clients or tokens."""

from collections.abc import Iterator

from services.router import xds_types
from services.router.check.plain import Plain, dicts
from services.router.nodes import Kind, Node
from services.router.translate.facts import Facts

OPEN_TELEMETRY = f"{xds_types.PREFIX}envoy.config.trace.v3.OpenTelemetryConfig"
TRACERS = f"{xds_types.EXTENSIONS}tracers.opentelemetry."
REGION = f"{TRACERS}resource_detectors.v3.StaticConfigResourceDetectorConfig"

SAMPLERS = frozenset(
    f"{TRACERS}samplers.v3.{name}SamplerConfig"
    for name in ("AlwaysOn", "ParentBased", "TraceIdRatioBased")
)
"""Those that ask nobody. How much they keep is no matter of safety."""

TAGS = [
    {"tag": "peer.address", "literal": {"value": "-"}},
    {"tag": "http.url", "literal": {"value": "-"}},
    {"tag": "user_agent", "literal": {"value": "-"}},
    {"tag": "grpc.path", "value": "%PATH(NQ)%"},
]
"""Blank, what Envoy would tell of a client; then the path without its query. No other."""


def problems(facts: Facts, node: Node, tracing: Plain | None) -> Iterator[str]:
    if tracing is None:
        return
    if facts.here.otlp is None:
        yield "spans are sent, though the region has no collector"
    if tracing.get("custom_tags") != TAGS:
        yield "spans tell more than they should"
    provider = tracing.get("provider", {})
    config = {**provider.get("typed_config", {})}
    sampler = config.pop("sampler", {})
    given = {**tracing, "provider": {**provider, "typed_config": config}}
    if given != _wanted(facts, node, tracing.get("custom_tags")):
        yield "spans go elsewhere than to the region's collector, or otherwise"
    if {one["@type"] for one in dicts(sampler) if "@type" in one} - SAMPLERS:
        yield "somebody else decides which spans are kept"


def _wanted(facts: Facts, node: Node, tags: object) -> Plain:
    """Everything but the sampler."""
    attributes = {
        "service.namespace": "hemline",
        "cloud.provider": "aws",
        "cloud.region": facts.region,
    }
    detector = {
        "name": "envoy.tracers.opentelemetry.resource_detectors.static_config",
        "typed_config": {"@type": REGION, "attributes": attributes},
    }
    config = {
        "@type": OPEN_TELEMETRY,
        "grpc_service": {"envoy_grpc": {"cluster_name": "otlp"}, "timeout": "1s"},
        "service_name": "edge" if node.kind is Kind.EDGE else f"{node.service}-sidecar",
        "resource_detectors": [detector],
    }
    provider = {"name": "envoy.tracers.opentelemetry", "typed_config": config}
    return {"provider": provider, "spawn_upstream_span": True, "custom_tags": tags}
