"""Who a workload is: its SPIFFE id, in the one URI of its certificate.

Each jurisdiction is a trust domain with a certificate authority of its own: a certificate that one
has signed says nothing in another.
"""

from services.chassis.topology import Region
from services.router.nodes import Kind, Node


def trust_domain(jurisdiction: str) -> str:
    return f"{jurisdiction.lower()}.hemline"


def edge(region: Region) -> str:
    return _id(region, "edge")


def sidecar(region: Region, service: str) -> str:
    return _id(region, f"sidecar/{service}")


def router(region: Region) -> str:
    """A router's xDS server."""
    return _id(region, "router")


def client(region: Region, service: str) -> str:
    """A service that calls others without a proxy of its own (`xds:///`)."""
    return _id(region, f"client/{service}")


def of_node(node: Node, region: Region) -> str:
    """The id that the certificate of ``node`` must hold."""
    match node.kind:
        case Kind.EDGE:
            return edge(region)
        case Kind.SIDECAR:
            return sidecar(region, node.service)
        case Kind.CLIENT:
            return client(region, node.service)


def _id(region: Region, path: str) -> str:
    return f"spiffe://{trust_domain(region.jurisdiction)}/{region.name}/{path}"
