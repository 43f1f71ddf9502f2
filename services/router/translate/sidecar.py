"""Everything that a sidecar knows: its service, and the tokens of its own jurisdiction.

It checks again what the edge has checked. An edge that was told wrong, or that is not ours, gets no
further than here.
"""

from collections.abc import Iterator
from typing import Any

from services.router import spiffe, xds_types
from services.router.nodes import Node
from services.router.snapshot import Resource, resource
from services.router.translate import (
    access_log,
    clusters,
    jwt,
    listener,
    rbac,
    replies,
    tls,
    tracing,
)
from services.router.translate.facts import Facts

LISTENER = "inbound"
APP = "app"
SERVED_BY = "x-hemline-served-by"


def resources(facts: Facts, node: Node) -> Iterator[Resource]:
    host = facts.here.services[node.service][node.number - 1]
    yield clusters.single(APP, host.app)
    yield from tracing.clusters(facts)
    yield tls.identity(facts, spiffe.sidecar(facts.topology.regions[facts.region], node.service))
    yield tls.trust_of_callers(facts)
    own = [facts.jurisdiction.name]
    tokenless = jwt.open_matches(facts, rbac.PROBES)
    yield resource(xds_types.EXTENSION, jwt.extension(facts, own, tokenless))
    manager = {
        "stat_prefix": "inbound",
        "route_config": _routes(facts),
        "http_filters": [
            jwt.http_filter(),
            listener.http_filter(
                "rbac", "RBAC", rules={"policies": rbac.policies(facts, node.service)}
            ),
            listener.http_filter("router", "Router"),
        ],
        "use_remote_address": False,
        "stream_idle_timeout": listener.HTTP_IDLE,
        "local_reply_config": replies.of_sidecar(),
        "access_log": access_log.of_sidecar(facts),
        **listener.hardening(),
        # Health checks have no parent, and so no trace.
        **tracing.of_manager(facts, f"{node.service}-sidecar", percent=0),
    }
    made = listener.listener(LISTENER, host.sidecar, manager, tls.downstream())
    yield resource(xds_types.LISTENER, made)


def _routes(facts: Facts) -> dict[str, Any]:
    action = {
        "cluster": APP,
        "timeout": "0s",
        "max_stream_duration": {"grpc_timeout_header_max": "0s"},
    }
    host = {
        "name": LISTENER,
        "domains": ["*"],
        "routes": [{"match": {"prefix": "/"}, "route": action}],
        "response_headers_to_add": [replies.header(SERVED_BY, facts.region)],
        # Only this proxy may say that the mesh has failed.
        "response_headers_to_remove": [replies.MESH_ERROR],
    }
    return {"name": LISTENER, "virtual_hosts": [host], "validate_clusters": True}
