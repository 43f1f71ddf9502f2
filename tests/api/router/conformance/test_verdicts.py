"""ACK and NACK: what is accepted stands, what is refused is not sent again until it is another."""

from services.router.xds_types import CLUSTER, ENDPOINTS, ROUTES
from tests.api.router.conformance.conftest import NODE, World, cluster, hosts, routes
from tests.support.envoy import until


async def test_what_is_accepted_is_not_sent_again(world: World) -> None:
    world.router.offer(cluster("a"))
    client = await world.connect()
    await client.ask(CLUSTER)
    heard = await client.accept(CLUSTER)
    world.router.offer(cluster("a"))
    await client.hears_nothing()
    found = world.router.proxy
    assert (found.node, found.streams) == (NODE, 1)
    assert found.types[CLUSTER].accepted_version
    assert found.types[CLUSTER].latency_seconds is not None
    assert heard.version


async def test_what_is_refused_is_not_sent_again_but_what_follows_is(world: World) -> None:
    world.router.offer(cluster("a"))
    client = await world.connect()
    await client.ask(CLUSTER)
    await client.accept(CLUSTER)
    world.router.offer(cluster("a", "2s"))
    await client.judge(await client.hear(CLUSTER), error="no such thing")
    await client.hears_nothing()
    found = world.router.proxy
    assert found.types[CLUSTER].refused_reason == "no such thing"
    assert found.types[CLUSTER].refused_version
    assert found.good_version != world.router.cache.get(_edge(world)).version
    world.router.offer(cluster("a", "3s"))
    await client.accept(CLUSTER)
    snapshot = world.router.cache.get(_edge(world))
    assert await until(lambda: world.router.proxy.good_version == snapshot.version)
    assert not found.types[CLUSTER].refused_version


async def test_the_good_ones_of_a_refused_answer_arrive(world: World) -> None:
    """In the delta dialect. In the other a proxy takes all or nothing."""
    if not world.delta:
        return
    world.router.offer(cluster("a"), cluster("bad"), cluster("c"))
    client = await world.connect()
    await client.ask(CLUSTER)
    await client.judge(await client.hear(CLUSTER), error="bad")
    accepted: set[str] = set()
    for _ in range(3):
        heard = await client.hear(CLUSTER)
        assert len(heard.names) == 1
        await client.judge(heard, error="bad" if heard.names == {"bad"} else None)
        accepted |= heard.names - {"bad"}
    assert accepted == {"a", "c"}
    await client.hears_nothing()


async def test_one_type_refused_does_not_hold_up_another(world: World) -> None:
    world.router.offer(cluster("a"), hosts("a"))
    client = await world.connect()
    await client.ask(CLUSTER)
    await client.judge(await client.hear(CLUSTER), error="no")
    await client.ask(ENDPOINTS, "a")
    assert (await client.accept(ENDPOINTS)).names == {"a"}


async def test_an_answer_at_a_time(world: World) -> None:
    world.router.offer(cluster("a"))
    client = await world.connect()
    await client.ask(CLUSTER)
    heard = await client.hear(CLUSTER)
    world.router.offer(cluster("a", "2s"))
    await client.hears_nothing()
    await client.judge(heard)
    assert "'2s'" in (await client.accept(CLUSTER)).texts


async def test_a_verdict_on_an_older_answer_says_nothing(world: World) -> None:
    world.router.offer(hosts("a"))
    client = await world.connect()
    await client.ask(ENDPOINTS, "a")
    first = await client.accept(ENDPOINTS)
    world.router.offer(hosts("a", 1))
    second = await client.hear(ENDPOINTS)
    await client.judge(first, error="too late")
    await client.hears_nothing()
    assert not world.router.proxy.types[ENDPOINTS].refused_reason
    await client.judge(second)
    await client.hears_nothing()


async def test_refused_routes_are_tried_again_with_other_clusters(world: World) -> None:
    if not world.delta:
        return
    world.router.offer(cluster("a"), routes("edge", "b"))
    client = await world.connect()
    await client.ask(CLUSTER)
    await client.accept(CLUSTER)
    await client.ask(ROUTES, "edge")
    await client.judge(await client.hear(ROUTES), error="unknown cluster b")
    await client.hears_nothing()
    world.router.offer(cluster("a"), cluster("b"), routes("edge", "b"))
    await client.accept(CLUSTER)
    await client.accept(ROUTES)


def _edge(world: World) -> object:
    return world.router.cache.node(NODE)
