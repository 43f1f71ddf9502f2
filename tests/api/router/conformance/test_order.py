"""Make before break: what is referred to comes first, and goes last."""

from services.router.xds_types import CLUSTER, ENDPOINTS, ROUTES, SECRET
from tests.api.router.conformance.client import Client
from tests.api.router.conformance.conftest import World, cluster, hosts, routes, secret


async def running(world: World) -> Client:
    """A proxy that has all of one small world."""
    world.router.offer(secret("identity"), cluster("old"), hosts("old"), routes("edge", "old"))
    client = await world.connect()
    for kind, names in (
        (SECRET, ("identity",)),
        (CLUSTER, ()),
        (ENDPOINTS, ("old", "new")),
        (ROUTES, ("edge",)),
    ):
        await client.ask(kind, *names)
        await client.accept(kind)
        if kind == ENDPOINTS and world.delta:
            assert (await client.accept(kind)).removed == {"new"}
    await client.hears_nothing()
    return client


async def test_a_new_cluster_comes_before_its_route_and_the_old_one_goes_after(
    world: World,
) -> None:
    client = await running(world)
    world.router.offer(secret("identity", "2"), cluster("new"), hosts("new"), routes("edge", "new"))
    await client.accept(SECRET)
    made = await client.accept(CLUSTER)
    assert made.names == ({"new"} if world.delta else {"old", "new"})
    assert "new" in (await client.accept(ENDPOINTS)).names
    await client.accept(ROUTES)
    if world.delta:
        removals = [await client.accept(ENDPOINTS), await client.accept(CLUSTER)]
        assert [one.removed for one in removals] == [{"old"}, {"old"}]
    else:
        assert (await client.accept(CLUSTER)).names == {"new"}
    await client.hears_nothing()


async def test_a_secret_changes_before_the_cluster_that_uses_it(world: World) -> None:
    client = await running(world)
    world.router.offer(
        secret("identity", "2"), cluster("old", "2s"), hosts("old"), routes("edge", "old")
    )
    await client.accept(SECRET)
    await client.accept(CLUSTER)
    await client.hears_nothing()


async def test_weights_change_by_themselves(world: World) -> None:
    client = await running(world)
    world.router.offer(secret("identity"), cluster("old"), hosts("old", 1), routes("edge", "other"))
    await client.accept(ENDPOINTS)
    await client.accept(ROUTES)
    await client.hears_nothing()


async def test_endpoints_may_be_asked_for_before_their_cluster(world: World) -> None:
    world.router.offer(cluster("a"), hosts("a"))
    client = await world.connect()
    await client.ask(ENDPOINTS, "a")
    assert (await client.accept(ENDPOINTS)).names == {"a"}
    await client.ask(CLUSTER)
    assert (await client.accept(CLUSTER)).names == {"a"}
    # With its cluster it asks once more, and is answered once more.
    await client.ask(ENDPOINTS, "a")
    assert (await client.accept(ENDPOINTS)).names == {"a"}
    await client.hears_nothing()
