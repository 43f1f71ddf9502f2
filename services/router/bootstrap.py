r"""What an Envoy must know before it can ask: who it is, where the routers are.

    python -m services.router.bootstrap --node edge/eu-central-1/1 --ads 127.0.0.1:21023 \
        --admin 127.0.0.1:21052 --certificates .hemline/regions/eu-central-1/certificates \
        --topology .hemline/topology.yaml

prints it.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from services.chassis import topology
from services.chassis.topology import Region
from services.router import addresses, nodes, spiffe
from services.router import certificate_files as files
from services.router.nodes import Kind, Node

TYPE = "type.googleapis.com/envoy.extensions."
ADS = "ads"
"""The cluster of the region's routers. Access logs, health and load go there as well."""
CONNECTION_LIMIT = 20_000
"""Clients and sidecar connections that one Envoy holds at most; more are refused at once."""


def bootstrap(
    node_id: str,
    ads_addresses: Sequence[str],
    admin: str,
    certificates: Path,
    region: Region,
    *,
    api_type: str = "DELTA_GRPC",
) -> dict[str, Any]:
    """Returns Envoy's bootstrap configuration.

    Args:
        node_id: `edge/<region>/<n>` or `sidecar/<region>/<service>/<n>`.
        ads_addresses: host:port of every router of the region. More than one: an Envoy that
            starts while no router answers serves nothing.
        admin: host:port of the admin interface. On loopback alone: it can stop the process.
        certificates: the region's certificates folder, as the Envoy sees it.
        region: of the node.
        api_type: `DELTA_GRPC`, or `GRPC` for the state-of-the-world protocol.

    Raises:
        ValueError: in one line, which argument is malformed.
    """
    node = nodes.parse(node_id)
    if node.region != region.name:
        raise ValueError(f"node: {node_id} is not of {region.name}")
    admin_address = addresses.parse(admin)
    if not admin_address.loopback:
        raise ValueError(f"admin: {admin} is not a loopback address")
    if not ads_addresses:
        raise ValueError("ads: at least one router address is needed")
    over_ads = {"ads": {}, "resource_api_version": "V3"}
    return {
        **(_reports() if node.kind is Kind.EDGE else {}),
        "node": {
            "id": node_id,
            "cluster": node.kind.value,
            "locality": {"region": node.region},
        },
        "admin": {"address": admin_address.envoy()},
        "dynamic_resources": {
            "ads_config": _over_grpc(api_type),
            "cds_config": over_ads,
            "lds_config": over_ads,
        },
        "static_resources": {
            "clusters": [_ads_cluster(ads_addresses, _tls(node, certificates, region))]
        },
        "overload_manager": {"resource_monitors": [_connection_limit()]},
    }


def _reports() -> dict[str, Any]:
    """What an edge tells the routers: who is healthy, and how much goes where.

    The routers say what is to be checked and reported. Sidecars see nobody but their own service.
    """
    return {
        "hds_config": _over_grpc("GRPC"),
        "cluster_manager": {"load_stats_config": _over_grpc("GRPC")},
    }


def _over_grpc(api_type: str) -> dict[str, Any]:
    """An `ApiConfigSource` that asks the routers."""
    # Envoy's own back-off grows to 30 s: that long it would miss a drain after a router's restart.
    back_off = {"base_interval": "0.1s", "max_interval": "0.5s"}
    service = {"cluster_name": ADS, "retry_policy": {"retry_back_off": back_off}}
    return {
        "api_type": api_type,
        "transport_api_version": "V3",
        "set_node_on_first_message_only": True,
        "grpc_services": [{"envoy_grpc": service}],
    }


def _ads_cluster(ads_addresses: Sequence[str], tls: dict[str, Any]) -> dict[str, Any]:
    # Without pings, a router that vanished without a word would keep the stream for minutes.
    keepalive = {"interval": "1s", "timeout": "1s"}
    protocol = {
        "@type": f"{TYPE}upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {"connection_keepalive": keepalive}},
    }
    endpoints = [addresses.parse(address).endpoint() for address in ads_addresses]
    return {
        "name": ADS,
        "type": "STATIC",
        "connect_timeout": "0.5s",
        "transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": tls},
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": protocol
        },
        "load_assignment": {"cluster_name": ADS, "endpoints": [{"lb_endpoints": endpoints}]},
    }


def _tls(node: Node, certificates: Path, region: Region) -> dict[str, Any]:
    """The node's own leaf to show, and a router of this very region at the other end.

    From files, not over ADS: without them there is no ADS.
    """
    router = {"san_type": "URI", "matcher": {"exact": spiffe.router(region)}}
    context = {
        # By default an Envoy that connects goes no higher than 1.2.
        "tls_params": {
            "tls_minimum_protocol_version": "TLSv1_3",
            "tls_maximum_protocol_version": "TLSv1_3",
        },
        "alpn_protocols": ["h2"],
        "tls_certificate_sds_secret_configs": [
            _from_file(files.IDENTITY, files.envoy(certificates, files.name_of(node)))
        ],
        "combined_validation_context": {
            "default_validation_context": {"match_typed_subject_alt_names": [router]},
            "validation_context_sds_secret_config": _from_file(
                files.TRUST, files.envoy_trust(certificates, region.jurisdiction)
            ),
        },
    }
    return {
        "@type": f"{TYPE}transport_sockets.tls.v3.UpstreamTlsContext",
        "common_tls_context": context,
    }


def _from_file(name: str, path: Path) -> dict[str, Any]:
    source = {"path_config_source": {"path": str(path)}, "resource_api_version": "V3"}
    return {"name": name, "sds_config": source}


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
    parser.add_argument("--certificates", required=True, type=Path, help="the region's folder")
    parser.add_argument("--topology", required=True, type=Path, help="the topology file")
    given = parser.parse_args(arguments)
    try:
        regions = topology.load(given.topology).regions
        region = regions[nodes.parse(given.node).region]
        made = bootstrap(given.node, given.ads, given.admin, given.certificates, region)
    except KeyError:
        parser.error(f"node: {given.node} is in no region of {given.topology}")
    except (ValueError, topology.TopologyError) as error:
        parser.error(str(error))
    sys.stdout.write(json.dumps(made, indent=2) + "\n")


if __name__ == "__main__":
    main()
