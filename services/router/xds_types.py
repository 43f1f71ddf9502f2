"""xDS types, and the modules that teach protobuf what may stand inside an Any."""

import importlib
from functools import cache

PREFIX = "type.googleapis.com/"

SECRET = f"{PREFIX}envoy.extensions.transport_sockets.tls.v3.Secret"
CLUSTER = f"{PREFIX}envoy.config.cluster.v3.Cluster"
ENDPOINTS = f"{PREFIX}envoy.config.endpoint.v3.ClusterLoadAssignment"
EXTENSION = f"{PREFIX}envoy.config.core.v3.TypedExtensionConfig"
LISTENER = f"{PREFIX}envoy.config.listener.v3.Listener"
ROUTES = f"{PREFIX}envoy.config.route.v3.RouteConfiguration"

ORDER = (SECRET, CLUSTER, ENDPOINTS, EXTENSION, LISTENER, ROUTES)
"""Make before break: what is referred to comes before what refers to it."""

REFERRING = (LISTENER, ROUTES)
"""Types that refer to clusters."""

FULL_STATE = frozenset({CLUSTER, LISTENER})
"""Types of which an answer of the state-of-the-world protocol must hold everything."""

EXTENSIONS = f"{PREFIX}envoy.extensions."
HTTP_FILTERS = f"{EXTENSIONS}filters.http."

_MODULES = (
    "config.cluster.v3.cluster_pb2",
    "config.core.v3.extension_pb2",
    "config.endpoint.v3.endpoint_pb2",
    "config.listener.v3.listener_pb2",
    "config.route.v3.route_pb2",
    "extensions.access_loggers.open_telemetry.v3.logs_service_pb2",
    "extensions.filters.http.cors.v3.cors_pb2",
    "extensions.filters.http.grpc_web.v3.grpc_web_pb2",
    "extensions.filters.http.health_check.v3.health_check_pb2",
    "extensions.filters.http.jwt_authn.v3.config_pb2",
    "extensions.filters.http.rbac.v3.rbac_pb2",
    "extensions.filters.http.router.v3.router_pb2",
    "extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2",
    "extensions.http.early_header_mutation.header_mutation.v3.header_mutation_pb2",
    "extensions.retry.host.previous_hosts.v3.previous_hosts_pb2",
    "extensions.retry.priority.previous_priorities.v3.previous_priorities_config_pb2",
    "extensions.tracers.opentelemetry.resource_detectors.v3.static_config_resource_detector_pb2",
    "extensions.tracers.opentelemetry.samplers.v3.always_on_sampler_pb2",
    "extensions.tracers.opentelemetry.samplers.v3.parent_based_sampler_pb2",
    "extensions.tracers.opentelemetry.samplers.v3.trace_id_ratio_based_sampler_pb2",
    "extensions.transport_sockets.tls.v3.secret_pb2",
    "extensions.transport_sockets.tls.v3.tls_pb2",
    "extensions.transport_sockets.tls.v3.tls_spiffe_validator_config_pb2",
    "extensions.filters.http.local_ratelimit.v3.local_rate_limit_pb2",
    "extensions.upstreams.http.v3.http_protocol_options_pb2",
    "config.trace.v3.opentelemetry_pb2",
)


@cache
def register() -> None:
    """Imports them. Takes 0.2 s, once; without it an Any of theirs can be neither made nor read."""
    for module in _MODULES:
        importlib.import_module(f"envoy.{module}")
