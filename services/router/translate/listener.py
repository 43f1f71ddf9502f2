"""What listeners of edges and sidecars have in common."""

from typing import Any

from services.chassis.interceptors import STREAM_LIMIT_SECONDS
from services.router import xds_types
from services.router.addresses import Address

OVER_ADS: dict[str, Any] = {"ads": {}, "resource_api_version": "V3"}

BUFFER_LIMIT_BYTES = 1024 * 1024
STREAMS_LIMIT = 1000
HTTP_IDLE = f"{STREAM_LIMIT_SECONDS + 30:.0f}s"
"""Longer than the longest stream that a service allows, so that it is the service that ends it."""

CLIENT_SENT = ("x-hemline-", "x-envoy-")
"""Header prefixes that no client may send.

`x-hemline-` is ours. `x-envoy-` steers retries and timeouts: Envoy believes it from a client that
it takes for an internal one, and could be told to send a write twice.
"""

MANAGER = f"{xds_types.EXTENSIONS}filters.network.http_connection_manager.v3.HttpConnectionManager"


def listener(
    name: str,
    address: Address,
    manager: dict[str, Any],
    transport_socket: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Builds an `envoy.config.listener.v3.Listener` around an HTTP connection manager."""
    hcm = {"name": "hcm", "typed_config": {"@type": MANAGER, **manager}}
    chain: dict[str, Any] = {"name": "main", "filters": [hcm]}
    if transport_socket is not None:
        chain["transport_socket"] = transport_socket
    return {
        "name": name,
        "address": address.envoy(),
        "per_connection_buffer_limit_bytes": BUFFER_LIMIT_BYTES,
        "filter_chains": [chain],
    }


def http_filter(name: str, message: str, **fields: Any) -> dict[str, Any]:
    """A filter whose extension, package and message are named as usual."""
    return {
        "name": f"envoy.filters.http.{name}",
        "typed_config": {"@type": f"{xds_types.HTTP_FILTERS}{name}.v3.{message}", **fields},
    }


def health_check(path: str) -> dict[str, Any]:
    """Answers ``path`` itself: 200 while the listener is up, 503 while it drains."""
    match = {"name": ":path", "string_match": {"exact": path}}
    return http_filter("health_check", "HealthCheck", pass_through_mode=False, headers=[match])


def hardening() -> dict[str, Any]:
    """Fields of the connection manager: one spelling for a path, no header posing as ours."""
    return {
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "http2_protocol_options": {"max_concurrent_streams": STREAMS_LIMIT},
        "request_headers_timeout": "10s",
        "early_header_mutation_extensions": [_strip()],
    }


def _strip() -> dict[str, Any]:
    kind = f"{xds_types.EXTENSIONS}http.early_header_mutation.header_mutation.v3.HeaderMutation"
    mutations = [{"remove_on_match": {"key_matcher": {"prefix": prefix}}} for prefix in CLIENT_SENT]
    return {"name": "strip", "typed_config": {"@type": kind, "mutations": mutations}}
