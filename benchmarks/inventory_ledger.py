"""RecordMovement through the real server, against the least that PostgreSQL could do for it.

The least is an insert and an upsert of a running sum in one transaction, without idempotency, locks
taken first, foreign keys, row-level security or any rule. Both run in turns on one PostgreSQL with
fsync off, eight at a time over 50 levels, so that the ratio is about the work and not about the
disk. Prints one JSON object as its last line.

    python -m benchmarks.inventory_ledger [movements]
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import redirect_stdout
from io import StringIO
from statistics import median
from uuid import uuid4

import psycopg
from pydantic import SecretStr

from services.inventory.server import parts
from services.inventory.settings import InventorySettings
from tests.api.inventory.client import SHIRT, Client
from tests.store.inventory.support import inventory_postgres
from tests.support.api import TOPOLOGY, api

AT_ONCE = 8
ROUNDS = 5
STORES = 10
SKUS = [size.sku for choice in SHIRT.choices for size in choice.sizes]

BARE = """
CREATE SCHEMA bare;
CREATE TABLE bare.movement (
  id uuid PRIMARY KEY, store text, sku text, delta bigint, at timestamptz
);
CREATE TABLE bare.level (store text, sku text, units bigint, PRIMARY KEY (store, sku));
"""
INSERT = "INSERT INTO bare.movement VALUES (%s, %s, %s, 5, now())"
UPSERT = """
INSERT INTO bare.level AS level VALUES (%s, %s, 5)
ON CONFLICT (store, sku) DO UPDATE SET units = level.units + excluded.units
"""


def place(number: int) -> tuple[str, str]:
    return f"s{number % STORES}", SKUS[number // STORES % len(SKUS)]


async def rate(count: int, one: Callable[[int, int], Awaitable[object]]) -> float:
    """Returns runs of ``one(worker, number)`` a second, `AT_ONCE` workers sharing the work."""

    async def work(worker: int) -> None:
        for number in range(worker, count, AT_ONCE):
            await one(worker, number)

    started = time.perf_counter()
    await asyncio.gather(*(work(worker) for worker in range(AT_ONCE)))
    return count / (time.perf_counter() - started)


async def measure(count: int) -> dict[str, float]:
    with inventory_postgres() as server:
        settings = InventorySettings(
            region="eu-central-1",
            topology_file=TOPOLOGY,
            address="127.0.0.1:0",
            identity_addresses=(),
            database_urls={"eu-central-1": SecretStr(server.app_url("inventory"))},
            database_pool_size=AT_ONCE,
        )
        superuser = server.url("postgres", "inventory")
        opened = [await psycopg.AsyncConnection.connect(superuser) for _ in range(AT_ONCE)]
        await opened[0].execute(BARE)
        await opened[0].commit()

        async def bare(worker: int, number: int) -> None:
            async with opened[worker].transaction():
                await opened[worker].execute(INSERT, (uuid4(), *place(number)))
                await opened[worker].execute(UPSERT, place(number))

        async with parts(settings) as opened_api, api(opened_api.served) as running:
            client = Client(running)
            await client.create_style(SHIRT)
            for number in range(STORES):
                await client.create_store(f"s{number}")

            async def served_one(_worker: int, number: int) -> None:
                store, sku = place(number)
                await client.move(parent=f"stores/{store}", sku=sku)

            # The first round of each warms up and is dropped.
            pairs = [
                (await rate(count, served_one), await rate(count, bare)) for _ in range(ROUNDS + 1)
            ][1:]
        for connection in opened:
            await connection.close()
    return {
        "record_movement_per_second": round(median(one for one, _ in pairs), 1),
        "bare_insert_upsert_per_second": round(median(two for _, two in pairs), 1),
        "ratio": round(median(one / two for one, two in pairs), 3),
        "movements_per_round": count,
        "rounds": ROUNDS,
    }


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with redirect_stdout(StringIO()):  # The server's log lines.
        figures = asyncio.run(measure(count))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
