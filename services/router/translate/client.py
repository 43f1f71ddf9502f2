"""Everything that a service knows that calls others through gRPC's own xDS client.

`xds:///<service>.<home>` is a listener, a cluster for each target, and its endpoints: what gRPC's
C core understands, and nothing that it would pass over. It proves itself with certificates of its
own, named in its bootstrap, and so needs no secrets from here.
"""

from collections.abc import Iterator
from typing import Any

from services.router import spiffe, xds_types
from services.router.nodes import Node
from services.router.snapshot import Resource, resource
from services.router.translate import callers, clusters, targets
from services.router.translate.facts import Facts
from services.router.translate.listener import MANAGER, OVER_ADS, http_filter
from services.router.translate.targets import Target

CERTIFICATES = "mesh"
"""The certificate provider that the client's bootstrap names."""

RETRIES = 3
REQUESTS_LIMIT = 1024


def resources(facts: Facts, node: Node) -> Iterator[Resource]:
    """For each service that ``node`` may call, and each home of its own jurisdiction."""
    for service in callers.called_by(node.service):
        for home in facts.jurisdiction.regions:
            yield resource(xds_types.LISTENER, _listener(facts, service, home))
            for target in targets.of(facts, service, home):
                yield resource(xds_types.CLUSTER, _cluster(facts, target))
                yield clusters.endpoints(facts, target)


def name(service: str, home: str) -> str:
    """What comes after `xds:///`."""
    return f"{service}.{home}"


def _listener(facts: Facts, service: str, home: str) -> dict[str, Any]:
    called = name(service, home)
    where = targets.destination(targets.of(facts, service, home))
    routes = [
        {"match": {"path": method.path}, "route": {**where, "retry_policy": _retries()}}
        for method in facts.methods
        if method.service == service and method.retryable
    ]
    routes.append({"match": {"prefix": f"/hemline.{service}.v1."}, "route": where})
    host = {"name": called, "domains": ["*"], "routes": routes}
    manager = {
        "@type": MANAGER,
        "route_config": {"name": called, "virtual_hosts": [host]},
        "http_filters": [http_filter("router", "Router")],
    }
    return {"name": called, "api_listener": {"api_listener": manager}}


def _retries() -> dict[str, Any]:
    # It cannot tell a service's own answer from one of the mesh, as an edge can.
    return {
        "retry_on": "unavailable",
        "num_retries": RETRIES,
        "retry_back_off": {"base_interval": "0.010s", "max_interval": "0.100s"},
    }


def _cluster(facts: Facts, target: Target) -> dict[str, Any]:
    limits = {"max_requests": REQUESTS_LIMIT}
    return {
        "name": target.name,
        "type": "EDS",
        "eds_cluster_config": {"eds_config": OVER_ADS},
        "lb_policy": "ROUND_ROBIN",
        "circuit_breakers": {"thresholds": [limits]},
        "transport_socket": _transport_socket(facts, target),
    }


def _transport_socket(facts: Facts, target: Target) -> dict[str, Any]:
    """Mutual TLS as gRPC reads it: it knows the older field for names alone."""
    regions = facts.topology.jurisdiction_of(target.home).regions
    sans = [spiffe.sidecar(facts.topology.regions[name], target.service) for name in regions]
    provider = {"instance_name": CERTIFICATES}
    validation = {
        "ca_certificate_provider_instance": provider,
        "match_subject_alt_names": [{"exact": san} for san in sans],
    }
    common = {
        "tls_certificate_provider_instance": provider,
        "validation_context": validation,
    }
    kind = f"{xds_types.EXTENSIONS}transport_sockets.tls.v3.UpstreamTlsContext"
    typed = {"@type": kind, "common_tls_context": common}
    return {"name": "envoy.transport_sockets.tls", "typed_config": typed}
