"""A proxy comes back, to the same router or to the other one, and is sent what it lacks."""

import grpc
import pytest
from envoy.service.discovery.v3 import discovery_pb2 as pb

from services.router.xds_types import CLUSTER, ENDPOINTS
from tests.api.router.conformance.client import Client, Delta
from tests.api.router.conformance.conftest import NODE, World, cluster, hosts


@pytest.mark.parametrize("where", ["the same router", "the other router"])
async def test_nothing_is_sent_again_to_a_proxy_that_holds_it(world: World, where: str) -> None:
    world.router.offer(cluster("a"))
    client = await world.connect()
    await client.ask(CLUSTER)
    heard = await client.accept(CLUSTER)
    client.call.cancel()
    router = world.router
    if where == "the other router":
        router = world.other
        await router.start()
        router.offer(cluster("a"))
    again = await world.connect(router)
    await again.ask(CLUSTER, held=[heard])
    await again.hears_nothing()


async def test_a_proxy_that_holds_something_older_is_sent_the_new(world: World) -> None:
    world.router.offer(cluster("a"))
    client = await world.connect()
    await client.ask(CLUSTER)
    heard = await client.accept(CLUSTER)
    client.call.cancel()
    world.router.offer(cluster("a", "2s"))
    again = await world.connect()
    await again.ask(CLUSTER, held=[heard])
    assert "'2s'" in (await again.accept(CLUSTER)).texts


async def test_a_proxy_is_told_what_has_gone_meanwhile(world: World) -> None:
    world.router.offer(cluster("a"))
    client = await world.connect()
    await client.ask(CLUSTER)
    heard = await client.accept(CLUSTER)
    client.call.cancel()
    world.router.offer()
    again = await world.connect()
    await again.ask(CLUSTER, held=[heard])
    told = await again.accept(CLUSTER)
    assert (told.names, told.removed) == (set(), {"a"} if world.delta else set())


async def test_a_nonce_of_an_earlier_stream_is_no_verdict(world: World) -> None:
    world.router.offer(hosts("a"))
    client = await world.connect()
    await client.ask(ENDPOINTS, "a")
    heard = await client.accept(ENDPOINTS)
    client.call.cancel()
    again = await world.connect()
    await again.call.write(_old(again, heard.nonce))
    again._first = False
    if not world.delta:
        again._names[ENDPOINTS] = ["a"]  # type: ignore[attr-defined]
    assert (await again.accept(ENDPOINTS)).names == {"a"}
    await again.hears_nothing()
    assert not world.router.proxy.types[ENDPOINTS].refused_reason


def _old(client: Client, nonce: str) -> object:
    """A question for endpoints that carries a refusal of an answer on another stream."""
    if isinstance(client, Delta):
        request = pb.DeltaDiscoveryRequest(
            type_url=ENDPOINTS, resource_names_subscribe=["a"], response_nonce=nonce
        )
    else:
        request = pb.DiscoveryRequest(
            type_url=ENDPOINTS, resource_names=["a"], response_nonce=nonce
        )
    request.node.id = NODE
    request.error_detail.message = "of another stream"
    return request


async def test_what_was_refused_before_the_router_went_is_sent_once_after_it(world: World) -> None:
    """NACK, then GOAWAY: the proxy holds the older one, and says so when it comes back."""
    world.router.offer(cluster("a"))
    client = await world.connect()
    await client.ask(CLUSTER)
    good = await client.accept(CLUSTER)
    world.router.offer(cluster("a", "2s"))
    await client.judge(await client.hear(CLUSTER), error="no")
    await client.hears_nothing()
    await world.router.stop()
    with pytest.raises(grpc.aio.AioRpcError):
        await client.hear(CLUSTER)
    await world.router.start()
    again = await world.connect()
    await again.ask(CLUSTER, held=[good])
    await again.judge(await again.hear(CLUSTER), error="no")
    await again.hears_nothing()
    world.router.offer(cluster("a", "3s"))
    assert "'3s'" in (await again.accept(CLUSTER)).texts
