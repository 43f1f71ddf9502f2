"""A service's real gRPC server on loopback, with every interceptor, and a channel to it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import grpc.aio

from services.chassis import server, topology
from services.chassis.auth import TokenVerifier
from services.chassis.residency import ResidencyGuard
from services.chassis.settings import ServiceSettings
from tests.support.tokens import ALL_PERMISSIONS, Signer, claims

ROOT = Path(__file__).parent.parent.parent
TOPOLOGY = ROOT / "deploy" / "topology.yaml"


class Api:
    """A running server. Calls are made as whoever `as_tenant` names."""

    def __init__(self, port: int, signer: Signer, found: topology.Topology, region: str) -> None:
        self.address = f"127.0.0.1:{port}"
        self.channel = grpc.aio.insecure_channel(self.address)
        self.signer = signer
        self.topology = found
        self.region = region

    def as_tenant(
        self, tenant_id: UUID, permissions: list[str] = ALL_PERMISSIONS
    ) -> tuple[tuple[str, str], ...]:
        """Metadata of a call by someone of this tenant, at home in the server's region."""
        jurisdiction = self.topology.jurisdiction_of(self.region)
        token = self.signer.sign(claims(jurisdiction, self.region, tenant_id, permissions))
        return (("authorization", f"Bearer {token}"),)


@asynccontextmanager
async def api(served: Sequence[server.Served], region: str = "eu-central-1") -> AsyncIterator[Api]:
    """Serves ``served`` as the region's service would."""
    found = topology.load(TOPOLOGY)
    signer = Signer()
    settings = ServiceSettings(
        region=region,
        topology_file=TOPOLOGY,
        address="127.0.0.1:0",
        identity_addresses=(),
        drain_seconds=0,
        grace_seconds=1,
    )
    verifier = TokenVerifier(found.jurisdiction_of(region), signer)
    async with server.serving(served, verifier, ResidencyGuard(found, region), settings) as port:
        running = Api(port, signer, found, region)
        yield running
        await running.channel.close()
