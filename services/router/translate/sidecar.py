"""Everything that a sidecar knows: its service, and the tokens of its own jurisdiction.

It checks again what the edge has checked. An edge that was told wrong, or that is not ours, gets no
further than here.
"""

from collections.abc import Iterator
from typing import Any

from services.router import xds_types
from services.router.nodes import Node
from services.router.snapshot import Resource, resource
from services.router.translate import clusters, jwt, listener, replies, tracing
from services.router.translate.facts import HEALTH, REFLECTION, Facts

LISTENER = "inbound"
APP = "app"
SERVED_BY = "x-hemline-served-by"

_PROBES = tuple({"prefix": prefix} for prefix in (HEALTH, *REFLECTION))


def resources(facts: Facts, node: Node) -> Iterator[Resource]:
    host = facts.here.services[node.service][node.number - 1]
    yield clusters.single(APP, host.app)
    yield from tracing.clusters(facts)
    own = [facts.jurisdiction.name]
    tokenless = jwt.open_matches(facts, _PROBES)
    yield resource(xds_types.EXTENSION, jwt.extension(facts, own, tokenless))
    manager = {
        "stat_prefix": "inbound",
        "route_config": _routes(facts),
        "http_filters": [
            jwt.http_filter(),
            listener.http_filter("rbac", "RBAC", rules={"policies": _policies(facts)}),
            listener.http_filter("router", "Router"),
        ],
        "use_remote_address": False,
        "stream_idle_timeout": listener.HTTP_IDLE,
        "local_reply_config": replies.of_sidecar(),
        **listener.hardening(),
        # Health checks have no parent, and so no trace.
        **tracing.of_manager(facts, f"{node.service}-sidecar", percent=0),
    }
    yield resource(xds_types.LISTENER, listener.listener(LISTENER, host.sidecar, manager))


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


def _policies(facts: Facts) -> dict[str, Any]:
    """Lets pass a token of this jurisdiction, and what needs no token."""
    name = facts.jurisdiction.name
    matcher = {"metadata_matcher": jwt.claim(name, "jurisdiction", name)}
    exact = [{"exact": path} for path in facts.public_paths]
    return {
        "jurisdiction": {
            "permissions": [{"any": True}],
            "principals": [{"sourced_metadata": matcher}],
        },
        "open": {
            "permissions": [{"url_path": {"path": path}} for path in (*exact, *_PROBES)],
            "principals": [{"any": True}],
        },
    }
