"""Health and load of a region, as real edges report them over the xDS port."""

import signal
import time

import grpc
import pytest
from envoy.config.core.v3 import base_pb2 as core
from envoy.service.health.v3 import hds_pb2, hds_pb2_grpc
from envoy.service.load_stats.v3 import lrs_pb2, lrs_pb2_grpc

from services.router import nodes
from tests.api.router.mesh import GET_STOCK, Mesh
from tests.support.envoy import START_SECONDS, until

CENTRAL, WEST, EAST = "eu-central-1", "eu-west-1", "us-east-1"


async def test_edges_report_which_hosts_answer(world: Mesh) -> None:
    observed = world.regions[CENTRAL].observed
    for region in (CENTRAL, WEST):
        assert await until(lambda r=region: observed.healthy_hosts(r, "inventory") == (1, 1))
        assert observed.report_time(region, "inventory") is not None
    # Of forecast nothing runs.
    assert await until(lambda: observed.healthy_hosts(CENTRAL, "forecast") == (0, 1))


async def test_edges_report_on_their_own_jurisdiction_alone(world: Mesh) -> None:
    european, american = (world.regions[region].observed for region in (CENTRAL, EAST))
    # A report is on everything that an edge looks at.
    assert await until(lambda: european.healthy_hosts(WEST, "inventory") is not None)
    assert await until(lambda: american.healthy_hosts(EAST, "inventory") is not None)
    assert european.healthy_hosts(EAST, "inventory") is None
    assert american.healthy_hosts(CENTRAL, "inventory") is None


async def test_edges_report_how_many_calls_they_send(world: Mesh) -> None:
    observed = world.regions[CENTRAL].observed
    token = world.token(CENTRAL)
    deadline = time.monotonic() + START_SECONDS
    while not ((load := observed.load(CENTRAL, "inventory")) and load.calls_per_second):
        assert time.monotonic() < deadline
        await world.grpc(CENTRAL, GET_STOCK, token)
    assert load.errors_per_second == 0


async def test_a_dead_service_is_reported(fragile: Mesh) -> None:
    observed = fragile.regions[WEST].observed
    assert await until(lambda: observed.healthy_hosts(CENTRAL, "inventory") == (1, 1))
    await fragile.stop_backend(CENTRAL, "inventory")
    assert await until(lambda: observed.healthy_hosts(CENTRAL, "inventory") == (0, 1))


async def test_what_an_edge_has_said_goes_with_it(fragile: Mesh) -> None:
    observed = fragile.regions[WEST].observed
    assert await until(lambda: observed.healthy_hosts(WEST, "inventory") == (1, 1))
    edge = next(node for node in fragile.running if str(node).startswith(f"edge/{WEST}"))
    await fragile.kill(edge)
    assert await until(lambda: observed.healthy_hosts(WEST, "inventory") is None)


async def test_what_a_frozen_edge_has_said_does_not_stay(fragile: Mesh) -> None:
    observed = fragile.regions[WEST].observed
    assert await until(lambda: observed.healthy_hosts(WEST, "inventory") == (1, 1))
    frozen = fragile.proxies[nodes.edge(WEST)].process
    frozen.send_signal(signal.SIGSTOP)
    try:
        assert await until(lambda: observed.healthy_hosts(WEST, "inventory") is None)
    finally:
        frozen.send_signal(signal.SIGCONT)


@pytest.mark.parametrize(
    ("node", "leaf", "of"),
    [
        ("sidecar/eu-central-1/inventory/1", "sidecar-inventory", CENTRAL),
        ("edge/eu-central-1/1", "sidecar-inventory", CENTRAL),
        ("edge/eu-central-1/1", "edge", WEST),
        # To pass reports on, it must be a router of this very region.
        ("edge/eu-central-1/1", "router", WEST),
        ("sidecar/eu-central-1/inventory/1", "router", CENTRAL),
    ],
)
async def test_only_edges_report(world: Mesh, node: str, leaf: str, of: str) -> None:
    """Whatever node somebody says to be: the certificate is another's."""
    address = world.regions[CENTRAL].ads_address
    asked = core.Node(id=node)
    async with world.certificates.channel(address, leaf, of) as channel:
        health = hds_pb2_grpc.HealthDiscoveryServiceStub(channel).StreamHealthCheck(
            iter(
                [
                    hds_pb2.HealthCheckRequestOrEndpointHealthResponse(
                        health_check_request=hds_pb2.HealthCheckRequest(node=asked)
                    )
                ]
            )
        )
        load = lrs_pb2_grpc.LoadReportingServiceStub(channel).StreamLoadStats(
            iter([lrs_pb2.LoadStatsRequest(node=asked)])
        )
        for call in (health, load):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await anext(aiter(call))
            assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
