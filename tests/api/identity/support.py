"""The identity service of eu-central-1, with real databases and a real sign-in provider."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc.aio
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from hemline.identity.v1 import identity_service_pb2 as pb
from hemline.identity.v1 import identity_service_pb2_grpc as pb_grpc
from hemline.identity.v1 import tenant_service_pb2_grpc as tenant_grpc
from pydantic import SecretStr

from deploy.local.accounts import Account
from deploy.local.postgres import Postgres
from services.chassis import server, topology
from services.chassis.residency import ResidencyGuard
from services.identity.convert import ID_TOKEN
from services.identity.server import parts
from services.identity.settings import IdentitySettings
from tests.support.provider import Provider
from tests.support.tokens import ALL_PERMISSIONS, Signer, claims

ROOT = Path(__file__).parents[3]
TOPOLOGY_FILE = ROOT / "deploy" / "topology.yaml"
TOPOLOGY = topology.load(TOPOLOGY_FILE)
REGION = "eu-central-1"
OPERATOR = f"operator@{REGION}.hemline.example"


def settings_for(
    servers: dict[str, Postgres], providers_file: Path, region: str = REGION
) -> IdentitySettings:
    return IdentitySettings(
        region=region,
        topology_file=TOPOLOGY_FILE,
        address="127.0.0.1:0",
        database_urls={
            name: SecretStr(found.app_url("identity")) for name, found in servers.items()
        },
        providers_file=providers_file,
        login_pepper=SecretStr("p" * 32),
        signing_key_secret=SecretStr("s" * 32),
        drain_seconds=0,
        grace_seconds=1,
    )


def environment(settings: IdentitySettings) -> dict[str, str]:
    """The settings as a process finds them."""
    urls = {region: url.get_secret_value() for region, url in settings.database_urls.items()}
    return {
        "HEMLINE_REGION": settings.region,
        "HEMLINE_TOPOLOGY_FILE": str(settings.topology_file),
        "HEMLINE_ADDRESS": settings.address,
        "HEMLINE_DATABASE_URLS": json.dumps(urls),
        "HEMLINE_PROVIDERS_FILE": str(settings.providers_file),
        "HEMLINE_LOGIN_PEPPER": settings.login_pepper.get_secret_value(),
        "HEMLINE_SIGNING_KEY_SECRET": settings.signing_key_secret.get_secret_value(),
    }


@dataclass(frozen=True)
class Identity:
    """A running identity service and how to call it."""

    settings: IdentitySettings
    provider: Provider
    address: str
    channel: grpc.aio.Channel
    made: dict[str, pb.ExchangeTokenResponse] = field(default_factory=dict)  # The operator's.

    @property
    def stub(self) -> Any:
        return pb_grpc.IdentityServiceStub(self.channel)

    @property
    def tenants(self) -> Any:
        return tenant_grpc.TenantServiceStub(self.channel)

    async def exchange(self, token: str) -> pb.ExchangeTokenResponse:
        request = pb.ExchangeTokenRequest(subject_token=token, subject_token_type=ID_TOKEN)
        return await self.stub.ExchangeToken(request, timeout=20)

    async def sign_in(self, account: Account) -> pb.ExchangeTokenResponse:
        return await self.exchange(self.provider.id_token(account))

    async def as_operator(self) -> tuple[tuple[str, str], ...]:
        """Metadata of a call by the region's operator, who must have been made."""
        if OPERATOR not in self.made:
            self.made[OPERATOR] = await self.sign_in(self.provider.add(OPERATOR))
        return bearer(self.made[OPERATOR].access_token)


@asynccontextmanager
async def identity(
    servers: dict[str, Postgres], provider: Provider, region: str = REGION, **changed: Any
) -> AsyncIterator[Identity]:
    """Runs the service of ``region``, with ``changed`` settings."""
    settings = settings_for(servers, provider.providers_file, region).model_copy(update=changed)
    found = topology.load(settings.topology_file)
    guard = ResidencyGuard(found, region)
    async with parts(settings, found) as opened:
        assert opened.verifier
        async with (
            server.serving(opened.served, opened.verifier, guard, settings) as port,
            grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
        ):
            yield Identity(settings, provider, f"127.0.0.1:{port}", channel)


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


def reason_of(error: grpc.aio.AioRpcError) -> tuple[grpc.StatusCode, str, dict[str, str]]:
    """Returns code, reason and metadata."""
    status = rpc_status.from_call(error)
    info = error_details_pb2.ErrorInfo()
    for detail in status.details if status else ():
        if detail.Unpack(info):
            break
    return error.code(), info.reason, dict(info.metadata)


def forged(tenant_id: UUID | None = None) -> tuple[tuple[str, str], ...]:
    """Metadata with every claim in place, signed by a key that identity never had."""
    made = claims(TOPOLOGY.jurisdictions["EU"], REGION, tenant_id, ALL_PERMISSIONS)
    return bearer(Signer().sign(made))
