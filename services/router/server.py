"""Wires the router: keys in, snapshots out over xDS, and the API beside them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager

import structlog
from hemline.router.v1 import router_service_pb2 as pb
from hemline.router.v1 import router_service_pb2_grpc as pb_grpc

from services.chassis import contract
from services.chassis.clock import utc_now
from services.chassis.database import Database
from services.chassis.server import Served
from services.chassis.settings import refusal
from services.chassis.topology import Topology
from services.router import ads_server, endpoints, gate
from services.router.ads_server import ServerIdentity
from services.router.cache import SnapshotCache
from services.router.certificates import CertificatesError, CertificateSource
from services.router.discovery import AdsServicer
from services.router.gate import Gate
from services.router.health import HealthServicer
from services.router.keys import KeySource
from services.router.leaf import Certificates
from services.router.load import LoadServicer
from services.router.observed import Observed
from services.router.publish import Publisher
from services.router.registry import Registry
from services.router.relaying import Relay
from services.router.servicer import RouterServicer
from services.router.servicer_operations import Fleet, steering
from services.router.servicer_residency import auditing
from services.router.settings import VALIDATION_OFF, RouterSettings
from services.router.translate import Facts

STEERING_CONNECTIONS = 3
"""To each region, for the policy alone: whoever asks for evidence must not hold up a drain. They
leave no spans: most of what goes over them is the policy's polling."""

log = structlog.get_logger()


@asynccontextmanager
async def parts(settings: RouterSettings, topology: Topology) -> AsyncIterator[Sequence[Served]]:
    """Runs the control plane until left. Ends the process if a setting or file is wrong."""
    names = {method.service for method in contract.methods()}
    certificates = CertificateSource(
        settings.certificates_folder, topology, settings.region, sorted(names)
    )
    facts = _facts(settings, topology, names, certificates)
    _check_key_addresses(settings, topology)
    cache = SnapshotCache(facts.nodes)
    publisher = Publisher(facts, cache, _validator(settings))
    registry = Registry()
    observed = Observed(utc_now)
    relay = Relay(settings.sibling_ads_addresses, lambda: publisher.facts)
    health = HealthServicer(lambda: publisher.facts, cache, observed, relay)
    load = LoadServicer(lambda: publisher.facts, cache, observed, relay)
    source = KeySource(
        topology, settings.signing_key_addresses, lambda keys: publisher.update(keys=keys)
    )
    region = topology.regions[settings.region]
    identity = ServerIdentity(region, facts.certificates)

    def renewed(found: Certificates) -> None:
        identity.update(found)
        publisher.update(certificates=found)

    # A bug in the polling ends the process: better than keys that never change again.
    async with (
        _opened(settings, settings.database_pool_size, traced=True) as evidence,
        _opened(settings, STEERING_CONNECTIONS, traced=False) as policies,
        auditing(evidence, lambda: publisher.facts, lambda: publisher.proof) as audit,
        steering(policies, Fleet(registry, cache, publisher), observed, utc_now) as operations,
        ads_server.serving(
            settings.ads_address,
            identity,
            [
                AdsServicer(cache, region, registry).register,
                health.register,
                load.register,
                audit.register,
            ],
        ),
        asyncio.TaskGroup() as group,
    ):
        polling = [
            group.create_task(running)
            for running in (source.run(), certificates.run(renewed), publisher.run())
        ]
        yield [
            Served(
                pb.DESCRIPTOR.services_by_name["RouterService"],
                pb_grpc.add_RouterServiceServicer_to_server,
                RouterServicer(topology),
            ),
            audit.served,
            operations,
        ]
        for task in polling:
            task.cancel()


@asynccontextmanager
async def _opened(
    settings: RouterSettings, pool_size: int, *, traced: bool
) -> AsyncIterator[Database]:
    database = Database(
        settings.database_urls, settings.replica_urls, pool_size=pool_size, traced=traced
    )
    try:
        yield database
    finally:
        await database.close()


def _validator(settings: RouterSettings) -> Gate | None:
    """Whoever can ask Envoy does: to go on without it takes a word in the settings."""
    if settings.envoy == VALIDATION_OFF:
        log.warning("snapshots_not_validated")
        return None
    try:
        return Gate(gate.find(settings.envoy))
    except gate.NoEnvoyError as error:
        problem = f"setting HEMLINE_ENVOY: {error}; it may say {VALIDATION_OFF}"
        raise SystemExit(refusal(problem)) from None


def _facts(
    settings: RouterSettings,
    topology: Topology,
    services: AbstractSet[str],
    certificates: CertificateSource,
) -> Facts:
    try:
        found = endpoints.load(settings.endpoints_file, topology, services)
        read = certificates.load()
    except endpoints.EndpointsError as error:
        raise SystemExit(refusal(f"endpoints: {error}")) from None
    except CertificatesError as error:
        raise SystemExit(refusal(f"certificates: {error}")) from None
    methods = contract.methods()
    return Facts(settings.region, topology, found, {}, methods, settings.trace_ratio, read)


def _check_key_addresses(settings: RouterSettings, topology: Topology) -> None:
    given = settings.signing_key_addresses
    where = "setting HEMLINE_SIGNING_KEY_ADDRESSES"
    for name in sorted(given.keys() - topology.jurisdictions.keys()):
        known = ", ".join(sorted(topology.jurisdictions))
        raise SystemExit(refusal(f"{where}: unknown jurisdiction {name}; known: {known}"))
    own = topology.jurisdiction_of(settings.region).name
    if not given.get(own):
        raise SystemExit(refusal(f"{where}: no address for {own}, the jurisdiction of this region"))
