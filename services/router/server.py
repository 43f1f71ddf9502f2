"""Wires the router: keys in, snapshots out over xDS, and the API beside them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import grpc.aio
import structlog
from envoy.service.discovery.v3 import ads_pb2_grpc
from hemline.router.v1 import router_service_pb2 as pb
from hemline.router.v1 import router_service_pb2_grpc as pb_grpc

from services.chassis import contract
from services.chassis.server import Served
from services.chassis.settings import refusal
from services.chassis.topology import Topology
from services.router import endpoints
from services.router.cache import SnapshotCache
from services.router.discovery import AdsServicer
from services.router.keys import KeySource
from services.router.leaf import Certificates
from services.router.publish import Publisher
from services.router.servicer import RouterServicer
from services.router.settings import RouterSettings
from services.router.translate import Facts

log = structlog.get_logger()


@asynccontextmanager
async def parts(settings: RouterSettings, topology: Topology) -> AsyncIterator[Sequence[Served]]:
    """Runs the control plane until left. Ends the process if a setting or file is wrong."""
    facts = _facts(settings, topology)
    _check_key_addresses(settings, topology)
    cache = SnapshotCache(facts.nodes)
    publisher = Publisher(facts, cache)
    source = KeySource(
        topology, settings.signing_key_addresses, lambda keys: publisher.update(keys=keys)
    )
    # A bug in the polling ends the process: better than keys that never change again.
    async with serving_ads(cache, settings.ads_address), asyncio.TaskGroup() as group:
        polling = group.create_task(source.run())
        yield [
            Served(
                pb.DESCRIPTOR.services_by_name["RouterService"],
                pb_grpc.add_RouterServiceServicer_to_server,
                RouterServicer(topology),
            )
        ]
        polling.cancel()


@asynccontextmanager
async def serving_ads(cache: SnapshotCache, address: str) -> AsyncIterator[int]:
    """Serves xDS until left. Yields the port. Ends the process if it is taken."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    ads_pb2_grpc.add_AggregatedDiscoveryServiceServicer_to_server(AdsServicer(cache), server)
    try:
        port = server.add_insecure_port(address)
    except RuntimeError:
        problem = f"setting HEMLINE_ADS_ADDRESS: cannot listen on {address}; is it taken?"
        raise SystemExit(refusal(problem)) from None
    await server.start()
    log.info("serving_xds", address=address)
    try:
        yield port
    finally:
        # Streams of proxies never end by themselves.
        await server.stop(None)


def _facts(settings: RouterSettings, topology: Topology) -> Facts:
    methods = contract.methods()
    names = {method.service for method in methods}
    try:
        found = endpoints.load(settings.endpoints_file, topology, names)
    except endpoints.EndpointsError as error:
        raise SystemExit(refusal(f"endpoints: {error}")) from None
    nothing = Certificates({}, {})
    return Facts(settings.region, topology, found, {}, methods, settings.trace_ratio, nothing)


def _check_key_addresses(settings: RouterSettings, topology: Topology) -> None:
    given = settings.signing_key_addresses
    where = "setting HEMLINE_SIGNING_KEY_ADDRESSES"
    for name in sorted(given.keys() - topology.jurisdictions.keys()):
        known = ", ".join(sorted(topology.jurisdictions))
        raise SystemExit(refusal(f"{where}: unknown jurisdiction {name}; known: {known}"))
    own = topology.jurisdiction_of(settings.region).name
    if not given.get(own):
        raise SystemExit(refusal(f"{where}: no address for {own}, the jurisdiction of this region"))
