"""The router's databases of one jurisdiction on real PostgreSQL, as the service's own role."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

import psycopg
from pydantic import SecretStr

from deploy.local.postgres import Postgres
from services.chassis import topology
from services.chassis.database import Database
from services.chassis.topology import Topology
from services.router.endpoints import Endpoints, parse
from services.router.operations import Operations
from services.router.operations_rules import Scene
from services.router.policy import Policy
from services.router.policy_source import PolicySource
from services.router.policy_stores import PolicyStores
from services.router.policy_writer import Order, PolicyWriter
from tests.support.api import TOPOLOGY
from tests.support.servers import postgres

HOME = "eu-central-1"
SIBLING = "eu-west-1"
SERVICES = ("forecast", "identity", "inventory")
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@contextmanager
def router_postgres() -> Iterator[Postgres]:
    """A new PostgreSQL with the router database at its newest revision."""
    with postgres("router") as server:
        yield server


def empty(server: Postgres) -> None:
    """Forgets every change, which the service itself could not."""
    with psycopg.connect(server.owner_url("router")) as connection:
        connection.execute("TRUNCATE policy_change")


def open_database(servers: Mapping[str, Postgres]) -> Database:
    return Database(
        {region: SecretStr(server.app_url("router")) for region, server in servers.items()}
    )


def two_regions() -> tuple[Topology, Endpoints]:
    """The topology, and two hosts of every service: `127.0.<region>.<service>`, ports 2 and 4."""
    found = topology.load(TOPOLOGY)
    document = {
        "regions": {
            name: {
                "edge": {"listen": "127.0.0.1:1"},
                "services": {
                    service: [
                        {"sidecar": f"127.0.{i}.{k}:2", "app": "127.0.0.1:3"},
                        {"sidecar": f"127.0.{i}.{k}:4", "app": "127.0.0.1:5", "track": "canary"},
                    ]
                    for k, service in enumerate(SERVICES, start=1)
                },
            }
            for i, name in enumerate(sorted(found.regions))
        }
    }
    return found, parse(document, found, set(SERVICES))


class Reports:
    """Health as a test says it is. All is well at first."""

    def __init__(self) -> None:
        self.down: set[str] = set()
        self.silent: set[str] = set()

    def healthy_hosts(
        self, region: str, service: str, among: AbstractSet[str] | None = None
    ) -> tuple[int, int] | None:
        del service, among
        if region in self.silent:
            return None
        return (0, 2) if region in self.down else (2, 2)


@dataclass
class Router:
    """One router's part in the policy: everything but the wire."""

    source: PolicySource
    stores: PolicyStores
    operations: Operations
    health: Reports
    told: list[Policy]  # What it has told the publisher.
    refuses: list[Policy]  # What the checker would refuse; nothing at first.

    async def drain(self, region: str, percent: int = 100, **order: object) -> object:
        return await self.operations.drain(make_order(**order), region, percent)

    @property
    def drained(self) -> Mapping[str, int]:
        return self.source.merged.policy.drained


def make_order(**changed: object) -> Order:
    fields: dict[str, object] = {"operator": "someone", "request_id": uuid4(), "reason": "test"}
    return Order(**{**fields, **changed})  # type: ignore[arg-type]


@asynccontextmanager
async def router(
    servers: Mapping[str, Postgres], region: str = HOME, *, polls: bool = True
) -> AsyncIterator[Router]:
    """A router of ``region`` that reaches the databases of ``servers`` alone."""
    found, endpoints = two_regions()
    database = open_database(servers)
    stores = PolicyStores(database, found.jurisdictions["EU"].regions)
    told: list[Policy] = []
    source = PolicySource(found, region, stores, lambda policies: told.append(policies["EU"]))
    health = Reports()
    scene = Scene(found, "EU", endpoints, health)
    writer = PolicyWriter(region, source, stores, lambda: NOW)
    polling = asyncio.create_task(source.run() if polls else asyncio.sleep(0))
    if polls:
        told.append((await source.first(5))["EU"])
    refuses: list[Policy] = []
    operations = Operations(
        scene, source, writer, lambda policy: ("not safe",) if policy in refuses else ()
    )
    yield Router(source, stores, operations, health, told, refuses)
    polling.cancel()
    await asyncio.gather(polling, return_exceptions=True)
    await stores.close()
    await database.close()


async def until(holds: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.02)


def log_of(server: Postgres) -> list[tuple[int, str, UUID]]:
    with psycopg.connect(server.owner_url("router")) as connection:
        query = "SELECT version, region, request_id FROM policy_change ORDER BY 1, 2, 3"
        return connection.execute(query).fetchall()
