"""Certificates of a mesh for tests: an authority per jurisdiction, a folder per region."""

from datetime import UTC, datetime
from pathlib import Path

import grpc

from services.chassis import contract
from services.chassis.topology import Topology
from services.router import certificate_files, renewal
from services.router.authority import Authority
from services.router.certificates import CertificateSource
from services.router.leaf import Certificates, Leaf

CLIENTS = ("client-forecast",)


class MeshCertificates:
    """Folders under ``root``, as routers and proxies read them."""

    def __init__(self, root: Path, topology: Topology) -> None:
        self._root = root
        self._topology = topology
        self.services = sorted({method.service for method in contract.methods()})
        self.names = (*certificate_files.required(self.services), *CLIENTS)
        self.authorities = {name: Authority.create(name, now()) for name in topology.jurisdictions}
        bundles = {name: made.certificate_pem for name, made in self.authorities.items()}
        for region in topology.regions.values():
            renewal.establish(
                self.folder(region.name),
                region,
                self.names,
                self.authorities[region.jurisdiction],
                bundles,
                now(),
            )

    def folder(self, region: str) -> Path:
        return self._root / region

    def load(self, region: str) -> Certificates:
        folder = self.folder(region)
        return CertificateSource(folder, self._topology, region, self.services).load()

    def leaf(self, name: str, region: str) -> Leaf:
        """A leaf from the region's folder, such as `edge`."""
        folder = self.folder(region)
        chain, key = (of(folder, name) for of in (certificate_files.chain, certificate_files.key))
        return Leaf(chain.read_bytes(), key.read_bytes())


def now() -> datetime:
    return datetime.now(UTC)


def channel_credentials(leaf: Leaf | None, trusted: bytes) -> grpc.ChannelCredentials:
    """What a client proves itself with, if with anything, and whom it believes."""
    if leaf is None:
        return grpc.ssl_channel_credentials(trusted)
    return grpc.ssl_channel_credentials(trusted, leaf.key, leaf.chain)
