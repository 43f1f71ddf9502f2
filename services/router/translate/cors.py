"""Which web pages may call an edge."""

from typing import Any

from services.router import xds_types
from services.router.translate.facts import Facts
from services.router.translate.listener import http_filter as filter_of

NAME = "envoy.filters.http.cors"

ALLOW_HEADERS = (
    "authorization",
    "content-type",
    "connect-protocol-version",
    "connect-timeout-ms",
    "grpc-timeout",
    "traceparent",
    "tracestate",
    "x-grpc-web",
    "x-user-agent",
)
EXPOSE_HEADERS = (
    "grpc-status",
    "grpc-message",
    "grpc-status-details-bin",
    "x-hemline-served-by",
)
MAX_AGE_SECONDS = 7200


def http_filter() -> dict[str, Any]:
    return filter_of("cors", "Cors")


def policy(facts: Facts) -> dict[str, Any]:
    """For `typed_per_filter_config` of the virtual host. No credentials: tokens are no cookies."""
    origins = [{"exact": origin} for origin in facts.topology.cors_origins]
    return {
        NAME: {
            "@type": f"{xds_types.HTTP_FILTERS}cors.v3.CorsPolicy",
            "allow_origin_string_match": origins,
            "allow_methods": "GET, POST, OPTIONS",
            "allow_headers": ",".join(ALLOW_HEADERS),
            "expose_headers": ",".join(EXPOSE_HEADERS),
            "max_age": str(MAX_AGE_SECONDS),
            "allow_credentials": False,
        }
    }
