"""What a service must know that calls others through gRPC's own xDS client, without a proxy.

It is the JSON that GRPC_XDS_BOOTSTRAP names, or GRPC_XDS_BOOTSTRAP_CONFIG holds. Calls go to
`xds:///<service>.<home region>`, with `grpc.xds_channel_credentials`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from services.chassis.topology import Region
from services.router import certificate_files as files
from services.router import nodes

PROVIDER = "mesh"
"""Of certificates towards sidecars. What the router says of clusters refers to it by this name."""

REFRESH = "1s"
"""How often the files are looked at."""


def client_bootstrap(
    service: str, routers: Sequence[str], certificates: Path, region: Region
) -> dict[str, Any]:
    """Returns the configuration.

    Args:
        service: that calls.
        routers: host:port of every router of the region; each is tried when those before it are
            gone. The host must be one of the names in a router's certificate: `localhost` or
            `router.<region>.hemline.internal`, no IP address.
        certificates: the region's certificates folder, as the service sees it.
        region: in which it runs.
    """
    node = nodes.client(region.name, service)
    name = files.name_of(node)
    proof = {
        "certificate_file": str(files.chain(certificates, name)),
        "private_key_file": str(files.key(certificates, name)),
        "ca_certificate_file": str(files.bundle(certificates, region.jurisdiction)),
        "refresh_interval": REFRESH,
    }
    return {
        "xds_servers": [
            {
                "server_uri": router,
                "channel_creds": [{"type": "tls", "config": proof}],
                "server_features": ["xds_v3"],
            }
            for router in routers
        ],
        "node": {
            "id": str(node),
            "cluster": node.kind.value,
            "locality": {"region": region.name},
        },
        "certificate_providers": {PROVIDER: {"plugin_name": "file_watcher", "config": proof}},
    }
