"""Where each certificate of a region lies in the region's certificates folder.

    edge.pem  edge.key  router.pem  router.key
    sidecar-<service>.pem  sidecar-<service>.key
    client-<service>.pem  client-<service>.key      # only for services that call without a proxy
    bundles/<JURISDICTION>.pem                      # its authorities; during a roll, old and new
    envoy/<name>.json  envoy/bundles/<JURISDICTION>.json  # the same again, as Envoys read it

Whoever issues writes it, replacing files one by one, each at once. Routers and proxies only read.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from services.chassis.topology import Region
from services.router import spiffe
from services.router.nodes import Kind, Node

EDGE = "edge"
ROUTER = "router"
SIDECAR = "sidecar-"
CLIENT = "client-"

IDENTITY = "identity"
TRUST = "trust"
"""Names of Envoy's secrets: its own leaf, and the authorities of its jurisdiction."""


def required(services: Sequence[str]) -> tuple[str, ...]:
    """Names of the leaves without which a region with these services does not run."""
    return (EDGE, ROUTER, *(SIDECAR + service for service in services))


def name_of(node: Node) -> str:
    """The name of the leaf with which ``node`` proves itself."""
    match node.kind:
        case Kind.EDGE:
            return EDGE
        case Kind.SIDECAR:
            return SIDECAR + node.service
        case Kind.CLIENT:
            return CLIENT + node.service


def identity(name: str, region: Region) -> str:
    """The SPIFFE id that the leaf of this name must hold. Raises ValueError for no such name."""
    if name == EDGE:
        return spiffe.edge(region)
    if name == ROUTER:
        return spiffe.router(region)
    for prefix, of in ((SIDECAR, spiffe.sidecar), (CLIENT, spiffe.client)):
        if name.startswith(prefix) and len(name) > len(prefix):
            return of(region, name.removeprefix(prefix))
    raise ValueError(f"{name}: want edge, router, sidecar-<service> or client-<service>")


def dns_names(name: str, region: Region) -> tuple[str, ...]:
    """What the leaf is also good for: gRPC's own clients look for a router's name."""
    return ("localhost", f"router.{region.name}.hemline.internal") if name == ROUTER else ()


def chain(folder: Path, name: str) -> Path:
    return folder / f"{name}.pem"


def key(folder: Path, name: str) -> Path:
    return folder / f"{name}.key"


def bundle(folder: Path, jurisdiction: str) -> Path:
    return folder / "bundles" / f"{jurisdiction}.pem"


def envoy(folder: Path, name: str) -> Path:
    """The same leaf in the one file that its Envoy follows."""
    return folder / "envoy" / f"{name}.json"


def envoy_trust(folder: Path, jurisdiction: str) -> Path:
    """The same bundle in the one file that Envoys follow."""
    return folder / "envoy" / "bundles" / f"{jurisdiction}.json"


def identity_secret(chain_pem: str, key_pem: str) -> dict[str, Any]:
    """What lies at `envoy`. Holds the key."""
    leaf = {"certificate_chain": _inline(chain_pem), "private_key": _inline(key_pem)}
    return _secret(IDENTITY, tls_certificate=leaf)


def trust_secret(authorities_pem: str) -> dict[str, Any]:
    """What lies at `envoy_trust`."""
    return _secret(TRUST, validation_context={"trusted_ca": _inline(authorities_pem)})


def _inline(text: str) -> dict[str, str]:
    # Named as files they would cost each Envoy two more instances of inotify, of which a user has
    # 128 by default; and a leaf and its key would change one after the other.
    return {"inline_string": text}


def _secret(name: str, **fields: Any) -> dict[str, Any]:
    """As `envoy.service.discovery.v3.DiscoveryResponse` with one secret."""
    kind = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
    return {"resources": [{"@type": kind, "name": name, **fields}]}
