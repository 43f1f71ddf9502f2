"""Certificates of a mesh for tests: an authority per jurisdiction, a folder per region."""

from datetime import UTC, datetime
from pathlib import Path

import grpc
import grpc.aio

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
        for region in topology.regions:
            self.establish(region)

    def establish(self, region: str) -> None:
        """Makes the region's folder what it should be."""
        found = self._topology.regions[region]
        bundles = {name: made.certificate_pem for name, made in self.authorities.items()}
        issuer = self.authorities[found.jurisdiction]
        renewal.establish(self.folder(region), found, self.names, issuer, bundles, now())

    def folder(self, region: str) -> Path:
        return self._root / region

    def source(self, region: str) -> CertificateSource:
        return CertificateSource(self.folder(region), self._topology, region, self.services)

    def load(self, region: str) -> Certificates:
        return self.source(region).load()

    def leaf(self, name: str, region: str) -> Leaf:
        """A leaf from the region's folder, such as `edge`."""
        folder = self.folder(region)
        chain, key = (of(folder, name) for of in (certificate_files.chain, certificate_files.key))
        return Leaf(chain.read_bytes(), key.read_bytes())

    def channel(self, ads_address: str, name: str, region: str) -> grpc.aio.Channel:
        """To the region's router, as whoever has the leaf of this name."""
        authority = self.authorities[self._topology.regions[region].jurisdiction]
        return channel(ads_address, self.leaf(name, region), authority.certificate_pem)


def channel(ads_address: str, leaf: Leaf | None, trusted: bytes) -> grpc.aio.Channel:
    """To a router that ``trusted`` vouches for, with ``leaf`` as the proof of who calls."""
    proof = (None, None) if leaf is None else (leaf.key, leaf.chain)
    return grpc.aio.secure_channel(
        ads_address,
        grpc.ssl_channel_credentials(trusted, *proof),
        options=[("grpc.ssl_target_name_override", "localhost")],
    )


def now() -> datetime:
    return datetime.now(UTC)
