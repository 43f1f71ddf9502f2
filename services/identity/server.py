"""Wires the parts of the identity service."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from hemline.identity.v1 import (
    identity_service_pb2,
    identity_service_pb2_grpc,
    tenant_service_pb2,
    tenant_service_pb2_grpc,
)

from services.chassis.auth import TokenVerifier
from services.chassis.clock import Clock, utc_now
from services.chassis.database import Database, DatabaseUnavailable
from services.chassis.server import Opened, Served
from services.chassis.settings import refusal
from services.chassis.topology import Topology
from services.identity import keyring, providers
from services.identity.authenticate import Authenticator
from services.identity.keys import KeySafe, KeySealed, SigningKey
from services.identity.provider_keys import PublishedKeys
from services.identity.providers import Provider
from services.identity.region import Region
from services.identity.servicer import IdentityServicer
from services.identity.servicer_tenants import TenantServicer
from services.identity.settings import IdentitySettings


@asynccontextmanager
async def parts(settings: IdentitySettings, topology: Topology) -> AsyncIterator[Opened]:
    """Opens the database and the region's signing key. Ends the process if it cannot."""
    trusted, own = trusted_providers(settings, topology)
    database = Database(
        settings.database_urls, settings.replica_urls, pool_size=settings.database_pool_size
    )
    try:
        jurisdiction = topology.jurisdiction_of(settings.region)
        region = Region(
            name=settings.region,
            topology=topology,
            database=database,
            authenticator=Authenticator(trusted, PublishedKeys([own]), topology, settings.region),
            provider=own,
            key=await _signing_key(settings, database, jurisdiction.issuer, utc_now),
            login_pepper=settings.login_pepper,
            clock=utc_now,
        )
        keys = keyring.ring_of(database, jurisdiction.issuer)
        pulse = database.pulse(settings.region)
        yield Opened(served(region), TokenVerifier(jurisdiction, keys), pulse)
    finally:
        await database.close()


def served(region: Region) -> Sequence[Served]:
    return (
        Served(
            identity_service_pb2.DESCRIPTOR.services_by_name["IdentityService"],
            identity_service_pb2_grpc.add_IdentityServiceServicer_to_server,
            IdentityServicer(region),
        ),
        Served(
            tenant_service_pb2.DESCRIPTOR.services_by_name["TenantService"],
            tenant_service_pb2_grpc.add_TenantServiceServicer_to_server,
            TenantServicer(region),
        ),
    )


def trusted_providers(
    settings: IdentitySettings, topology: Topology
) -> tuple[tuple[Provider, ...], Provider]:
    """Returns every provider, and the one of this jurisdiction. Ends the process if it cannot."""
    try:
        found = providers.load(settings.providers_file, topology)
        own = topology.jurisdiction_of(settings.region).name
        return found, providers.of_jurisdiction(found, own)
    except providers.ProvidersError as error:
        raise SystemExit(refusal(f"setting HEMLINE_PROVIDERS_FILE: {error}")) from None


async def _signing_key(
    settings: IdentitySettings, database: Database, issuer: str, clock: Clock
) -> SigningKey:
    safe = KeySafe(settings.signing_key_secret)
    try:
        return await keyring.own_key(database, settings.region, issuer, safe=safe, clock=clock)
    except DatabaseUnavailable as error:
        raise SystemExit(refusal(f"setting HEMLINE_DATABASE_URLS: {error}")) from None
    except KeySealed:
        raise SystemExit(
            refusal(
                "setting HEMLINE_SIGNING_KEY_SECRET: does not open the signing key that "
                f"{settings.region} has stored"
            )
        ) from None
