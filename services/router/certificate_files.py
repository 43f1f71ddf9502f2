"""Where each certificate of a region lies in the region's certificates folder.

    edge.pem  edge.key  router.pem  router.key
    sidecar-<service>.pem  sidecar-<service>.key
    client-<service>.pem  client-<service>.key      # only for services that call without a proxy
    bundles/<JURISDICTION>.pem                      # its authorities; during a roll, old and new
    envoy/<name>.json  envoy/trust.json             # the same, as Envoys find it (`secrets`)

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
    """What an Envoy is told of a leaf, or of `trust`, as a file that it follows."""
    return folder / "envoy" / f"{name}.json"


def secrets(folder: Path, names: Sequence[str], jurisdiction: str) -> dict[str, dict[str, Any]]:
    """What lies under `envoy/`: where an Envoy finds each leaf, and whom it trusts.

    Envoy follows files that such a file names, and none that its bootstrap names itself.
    """
    made = {
        name: _secret(
            IDENTITY,
            tls_certificate={
                "certificate_chain": {"filename": str(chain(folder, name))},
                "private_key": {"filename": str(key(folder, name))},
                "watched_directory": {"path": str(folder)},
            },
        )
        for name in names
    }
    authorities = bundle(folder, jurisdiction)
    made[TRUST] = _secret(
        TRUST,
        validation_context={
            "trusted_ca": {"filename": str(authorities)},
            "watched_directory": {"path": str(authorities.parent)},
        },
    )
    return made


def _secret(name: str, **fields: Any) -> dict[str, Any]:
    """As `envoy.service.discovery.v3.DiscoveryResponse` with one secret."""
    kind = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
    return {"resources": [{"@type": kind, "name": name, **fields}]}
