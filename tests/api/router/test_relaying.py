"""Two routers of one region: an edge reports to one of them, and both know."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest_asyncio
from envoy.service.health.v3 import hds_pb2 as pb
from envoy.service.health.v3 import hds_pb2_grpc as pb_grpc

from services.router import nodes
from tests.api.router.conftest import two_jurisdictions
from tests.api.router.mesh import GET_STOCK, Mesh, Region
from tests.support.envoy import START_SECONDS, until
from tests.support.tokens import Signer

HERE = "eu-central-1"


@dataclass
class Pair:
    mesh: Mesh
    first: Region
    second: Region

    async def report(self, router: Region, leaf: str, node: str, service: str) -> AsyncExitStack:
        """Tells ``router`` once, as whoever has ``leaf``, of a healthy host of ``service``."""
        stack = AsyncExitStack()
        opened = self.mesh.certificates.channel(router.ads_address, leaf, HERE)
        channel = await stack.enter_async_context(opened)
        call = pb_grpc.HealthDiscoveryServiceStub(channel).StreamHealthCheck()
        await call.write(_asks(node))
        await call.write(_says(service))
        return stack


@pytest_asyncio.fixture
async def pair() -> AsyncIterator[Pair]:
    """Both run, and no proxy."""
    topology = two_jurisdictions()
    signers = {name: Signer(f"{name}-1") for name in topology.jurisdictions}
    async with AsyncExitStack() as stack:
        mesh = Mesh(stack, topology, signers)
        first, second = mesh.regions[HERE], mesh.router(HERE)
        first.siblings, second.siblings = [second.ads_address], [first.ads_address]
        mesh.publish({name: [signer] for name, signer in signers.items()})
        second.publisher.update(keys=first.publisher.facts.keys)
        for router in (first, second):
            await router.start()
            stack.push_async_callback(router.stop)
        yield Pair(mesh, first, second)


async def test_both_routers_know_health_and_load_also_after_one_was_gone(pair: Pair) -> None:
    await pair.mesh.start_backend(HERE, "inventory")
    await pair.mesh.start_proxy(nodes.sidecar(HERE, "inventory", 1), "DELTA_GRPC")
    await pair.mesh.start_proxy(nodes.edge(HERE), "DELTA_GRPC")
    await _know(pair.mesh, pair.first, pair.second)
    # Either may be the one that the edge reports to.
    for gone, other in ((pair.first, pair.second), (pair.second, pair.first)):
        await gone.stop()
        await _know(pair.mesh, other)
        assert await until(lambda gone=gone: gone.observed.healthy_hosts(HERE, "inventory") is None)
        await gone.start()
        await _know(pair.mesh, gone, other)


async def test_what_was_passed_on_goes_no_further(pair: Pair) -> None:
    first, second = pair.first.observed, pair.second.observed
    async with (
        await pair.report(pair.first, "router", "edge/eu-central-1/1", "inventory"),
        await pair.report(pair.first, "edge", "edge/eu-central-1/2", "forecast"),
    ):
        for service in ("inventory", "forecast"):
            assert await until(lambda s=service: first.healthy_hosts(HERE, s) == (1, 1))
        assert await until(lambda: second.healthy_hosts(HERE, "forecast") == (1, 1))
        assert second.healthy_hosts(HERE, "inventory") is None
    # Nothing of it outlives its stream.
    assert await until(lambda: first.healthy_hosts(HERE, "inventory") is None)
    assert await until(lambda: second.healthy_hosts(HERE, "forecast") is None)


async def test_nothing_runs_on_when_an_edge_has_gone(pair: Pair) -> None:
    await pair.second.stop()
    async with await pair.report(pair.first, "edge", "edge/eu-central-1/1", "inventory"):
        observed = pair.first.observed
        assert await until(lambda: observed.healthy_hosts(HERE, "inventory") == (1, 1))
        assert _following()
    async with asyncio.timeout(START_SECONDS):
        while _following():  # noqa: ASYNC110  # A task that ends tells nobody.
            await asyncio.sleep(0.02)
    await pair.second.start()


async def _know(mesh: Mesh, *routers: Region) -> None:
    """Waits until each of them has heard that the service is well, and called."""
    token = mesh.token(HERE)
    async with asyncio.timeout(START_SECONDS):
        while not all(_knows(router) for router in routers):
            await mesh.grpc(HERE, GET_STOCK, token)
            await asyncio.sleep(0.02)


def _knows(router: Region) -> bool:
    load = router.observed.load(HERE, "inventory")
    healthy = router.observed.healthy_hosts(HERE, "inventory") == (1, 1)
    return healthy and load is not None and load.calls_per_second > 0


def _following() -> list[str]:
    """What runs to pass reports on."""
    running = [repr(task.get_coro()) for task in asyncio.all_tasks()]
    return [name for name in running if "Relay._follow" in name or "relaying" in name]


def _asks(node: str) -> Any:
    asked = pb.HealthCheckRequestOrEndpointHealthResponse()
    asked.health_check_request.node.id = node
    return asked


def _says(service: str) -> Any:
    said = pb.HealthCheckRequestOrEndpointHealthResponse()
    cluster = said.endpoint_health_response.cluster_endpoints_health.add()
    cluster.cluster_name = f"health|{service}|{HERE}"
    found = cluster.locality_endpoints_health.add().endpoints_health.add()
    found.health_status = 1
    found.endpoint.address.socket_address.address = "10.0.0.1"
    found.endpoint.address.socket_address.port_value = 1
    return said
