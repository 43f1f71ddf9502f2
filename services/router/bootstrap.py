"""What an Envoy must know before it can ask: who it is, where the routers are.

`python -m services.router.bootstrap --node edge/eu-central-1/1 --ads 127.0.0.1:21023 --admin
127.0.0.1:21052` prints it.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from services.router import addresses, nodes

TYPE = "type.googleapis.com/envoy.extensions."
CONNECTION_LIMIT = 20_000
"""Clients and sidecar connections that one Envoy holds at most; more are refused at once."""


def bootstrap(
    node_id: str, ads_addresses: list[str], admin: str, *, api_type: str = "DELTA_GRPC"
) -> dict[str, Any]:
    """Returns Envoy's bootstrap configuration.

    Args:
        node_id: `edge/<region>/<n>` or `sidecar/<region>/<service>/<n>`.
        ads_addresses: host:port of every router of the region. More than one: an Envoy that
            starts while no router answers serves nothing.
        admin: host:port of the admin interface. On loopback alone: it can stop the process.
        api_type: `DELTA_GRPC`, or `GRPC` for the state-of-the-world protocol.

    Raises:
        ValueError: in one line, which argument is malformed.
    """
    node = nodes.parse(node_id)
    admin_address = addresses.parse(admin)
    if not admin_address.loopback:
        raise ValueError(f"admin: {admin} is not a loopback address")
    if not ads_addresses:
        raise ValueError("ads: at least one router address is needed")
    over_ads = {"ads": {}, "resource_api_version": "V3"}
    return {
        "node": {
            "id": node_id,
            "cluster": node.kind.value,
            "locality": {"region": node.region},
        },
        "admin": {"address": admin_address.envoy()},
        "dynamic_resources": {
            "ads_config": _ads_config(api_type),
            "cds_config": over_ads,
            "lds_config": over_ads,
        },
        "static_resources": {"clusters": [_ads_cluster(ads_addresses)]},
        "overload_manager": {"resource_monitors": [_connection_limit()]},
    }


def _ads_config(api_type: str) -> dict[str, Any]:
    # Envoy's own back-off grows to 30 s: that long it would miss a drain after a router's restart.
    back_off = {"base_interval": "0.2s", "max_interval": "2s"}
    service = {"cluster_name": "ads", "retry_policy": {"retry_back_off": back_off}}
    return {
        "api_type": api_type,
        "transport_api_version": "V3",
        "set_node_on_first_message_only": True,
        "grpc_services": [{"envoy_grpc": service}],
    }


def _ads_cluster(ads_addresses: list[str]) -> dict[str, Any]:
    # Without pings, a router that vanished without a word would keep the stream for minutes.
    keepalive = {"interval": "5s", "timeout": "2s"}
    protocol = {
        "@type": f"{TYPE}upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {"connection_keepalive": keepalive}},
    }
    endpoints = [addresses.parse(address).endpoint() for address in ads_addresses]
    return {
        "name": "ads",
        "type": "STATIC",
        "connect_timeout": "0.5s",
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": protocol
        },
        "load_assignment": {"cluster_name": "ads", "endpoints": [{"lb_endpoints": endpoints}]},
    }


def _connection_limit() -> dict[str, Any]:
    limit = "resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig"
    return {
        "name": "envoy.resource_monitors.global_downstream_max_connections",
        "typed_config": {
            "@type": TYPE + limit,
            "max_active_downstream_connections": CONNECTION_LIMIT,
        },
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Prints the bootstrap of one Envoy as JSON.")
    parser.add_argument("--node", required=True, help="such as edge/eu-central-1/1")
    parser.add_argument("--ads", required=True, action="append", help="host:port; may be repeated")
    parser.add_argument("--admin", required=True, help="host:port on loopback")
    given = parser.parse_args(arguments)
    try:
        made = bootstrap(given.node, given.ads, given.admin)
    except ValueError as error:
        parser.error(str(error))
    sys.stdout.write(json.dumps(made, indent=2) + "\n")


if __name__ == "__main__":
    main()
