"""Spans of the proxies, sent to the region's own collector: spans are data of the region too."""

from collections.abc import Iterator
from typing import Any

from services.router import xds_types
from services.router.snapshot import Resource
from services.router.translate.clusters import single
from services.router.translate.facts import Facts

CLUSTER = "otlp"
BLANK = ("peer.address", "http.url", "user_agent")
"""Tags with a client's address or software, or a URL with its query."""
_TRACERS = f"{xds_types.EXTENSIONS}tracers.opentelemetry."


def clusters(facts: Facts) -> Iterator[Resource]:
    if facts.here.otlp:
        yield single(CLUSTER, facts.here.otlp)


def of_manager(facts: Facts, service_name: str, *, percent: float) -> dict[str, Any]:
    """Fields of the connection manager.

    Args:
        facts: say whether there is a collector; without one there are no spans.
        service_name: as traces show it.
        percent: share of the traces begun here that are kept. One begun elsewhere is kept or not
            as its beginner decided.
    """
    if not facts.here.otlp:
        return {}
    config = {
        "@type": f"{xds_types.PREFIX}envoy.config.trace.v3.OpenTelemetryConfig",
        "grpc_service": {"envoy_grpc": {"cluster_name": CLUSTER}, "timeout": "1s"},
        "service_name": service_name,
        "resource_detectors": [_resource(facts.region)],
        "sampler": _parent_based(percent),
    }
    provider = {"name": "envoy.tracers.opentelemetry", "typed_config": config}
    # An upstream span for each attempt: without it a retry cannot be told from a slow answer.
    tracing = {"provider": provider, "spawn_upstream_span": True, "custom_tags": _tags()}
    return {"tracing": tracing}


def _tags() -> list[dict[str, Any]]:
    """Takes out of spans what they need not tell: the last tag of a name counts.

    `grpc.message`, the words of an error, comes later than these: collectors have to drop it.
    """
    blank = [{"tag": tag, "literal": {"value": "-"}} for tag in BLANK]
    return [*blank, {"tag": "grpc.path", "value": "%PATH(NQ)%"}]


def _resource(region: str) -> dict[str, Any]:
    kind = "resource_detectors.v3.StaticConfigResourceDetectorConfig"
    attributes = {
        "service.namespace": "hemline",
        "cloud.provider": "aws",
        "cloud.region": region,
    }
    return {
        "name": "envoy.tracers.opentelemetry.resource_detectors.static_config",
        "typed_config": {"@type": f"{_TRACERS}{kind}", "attributes": attributes},
    }


def _parent_based(percent: float) -> dict[str, Any]:
    fraction = {"numerator": round(percent * 10_000), "denominator": "MILLION"}
    ratio = {
        "name": "envoy.tracers.opentelemetry.samplers.trace_id_ratio_based",
        "typed_config": {
            "@type": f"{_TRACERS}samplers.v3.TraceIdRatioBasedSamplerConfig",
            "sampling_percentage": fraction,
        },
    }
    return {
        "name": "envoy.tracers.opentelemetry.samplers.parent_based",
        "typed_config": {
            "@type": f"{_TRACERS}samplers.v3.ParentBasedSamplerConfig",
            "wrapped_sampler": ratio,
        },
    }
