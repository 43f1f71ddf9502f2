"""What a proxy asks for is what it gets: names, wildcards, more names, fewer names."""

import pytest

from services.router.xds_types import CLUSTER, ENDPOINTS, LISTENER
from tests.api.router.conformance.conftest import World, cluster, hosts


@pytest.mark.parametrize("asked", [(), ("*",)], ids=["legacy", "explicit"])
async def test_a_wildcard_brings_everything(world: World, asked: tuple[str, ...]) -> None:
    world.router.offer(cluster("a"), cluster("b"))
    client = await world.connect()
    await client.ask(CLUSTER, *asked)
    heard = await client.accept(CLUSTER)
    assert heard.names == {"a", "b"}
    await client.hears_nothing()
    world.router.offer(cluster("a"), cluster("b"), cluster("c"))
    later = await client.accept(CLUSTER)
    assert later.names == ({"c"} if world.delta else {"a", "b", "c"})


async def test_names_bring_what_they_name(world: World) -> None:
    world.router.offer(cluster("a"), cluster("b"))
    client = await world.connect()
    await client.ask(CLUSTER, "a")
    assert (await client.accept(CLUSTER)).names == {"a"}
    world.router.offer(cluster("a"), cluster("b", "2s"))
    await client.hears_nothing()


async def test_a_wildcard_beside_names_ends_without_them(world: World) -> None:
    world.router.offer(cluster("a"), cluster("b"))
    client = await world.connect()
    await client.ask(CLUSTER, "*", "a")
    assert (await client.accept(CLUSTER)).names == {"a", "b"}
    await client.drop(CLUSTER, "*")
    await client.hears_nothing()
    world.router.offer(cluster("a"), cluster("b", "2s"))
    await client.hears_nothing()
    world.router.offer(cluster("a", "2s"), cluster("b", "2s"))
    assert (await client.accept(CLUSTER)).names == {"a"}


async def test_a_name_more_is_answered(world: World) -> None:
    world.router.offer(hosts("a"), hosts("b"))
    client = await world.connect()
    await client.ask(ENDPOINTS, "a")
    await client.accept(ENDPOINTS)
    await client.ask(ENDPOINTS, "b")
    assert "b" in (await client.accept(ENDPOINTS)).names
    await client.hears_nothing()


async def test_a_name_dropped_is_sent_no_more(world: World) -> None:
    world.router.offer(hosts("a"), hosts("b"))
    client = await world.connect()
    await client.ask(ENDPOINTS, "a", "b")
    await client.accept(ENDPOINTS)
    await client.drop(ENDPOINTS, "b")
    await client.hears_nothing()
    world.router.offer(hosts("a"), hosts("b", 1))
    await client.hears_nothing()


async def test_a_name_dropped_and_asked_for_again_is_sent_again(world: World) -> None:
    world.router.offer(hosts("a"), hosts("b"))
    client = await world.connect()
    await client.ask(ENDPOINTS, "a", "b")
    await client.accept(ENDPOINTS)
    await client.drop(ENDPOINTS, "b")
    await client.ask(ENDPOINTS, "b")
    assert "b" in (await client.accept(ENDPOINTS)).names


async def test_a_name_that_is_not_there_is_sent_once_it_is(world: World) -> None:
    world.router.offer()
    client = await world.connect()
    await client.ask(ENDPOINTS, "a")
    if world.delta:
        assert (await client.accept(ENDPOINTS)).removed == {"a"}
    await client.hears_nothing()
    world.router.offer(hosts("a"))
    assert (await client.accept(ENDPOINTS)).names == {"a"}


async def test_of_a_full_state_type_it_is_told_that_a_name_is_not_there(world: World) -> None:
    world.router.offer(cluster("a"))
    client = await world.connect()
    await client.ask(CLUSTER, "a")
    await client.accept(CLUSTER)
    await client.ask(CLUSTER, "b")
    heard = await client.accept(CLUSTER)
    assert (heard.names, heard.removed) == ((set(), {"b"}) if world.delta else ({"a"}, set()))


async def test_what_is_removed_is_told(world: World) -> None:
    world.router.offer(cluster("a"), cluster("b"))
    client = await world.connect()
    await client.ask(CLUSTER)
    await client.accept(CLUSTER)
    world.router.offer(cluster("a"))
    heard = await client.accept(CLUSTER)
    assert (heard.names, heard.removed) == ((set(), {"b"}) if world.delta else ({"a"}, set()))
    await client.hears_nothing()


async def test_types_are_subscribed_to_each_by_itself(world: World) -> None:
    world.router.offer(cluster("a"), hosts("a"))
    client = await world.connect()
    await client.ask(LISTENER)
    if not world.delta:
        assert (await client.accept(LISTENER)).names == set()
    await client.hears_nothing()
    await client.ask(CLUSTER)
    await client.accept(CLUSTER)
    await client.hears_nothing()


async def test_a_type_that_is_not_served_is_not_answered(world: World) -> None:
    world.router.offer(cluster("a"))
    client = await world.connect()
    await client.ask("type.googleapis.com/envoy.service.runtime.v3.Runtime", "x")
    await client.hears_nothing()
