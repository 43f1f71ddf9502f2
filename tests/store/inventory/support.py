"""A ledger on a real PostgreSQL, driven by its use cases as the service's own role."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
from pydantic import SecretStr

from deploy.local.postgres import Postgres
from services.chassis.database import Database
from services.chassis.tenancy import Caller, serving
from services.inventory import catalog, ledger
from services.inventory.domain import Movement, Posting, Reason, Sku, StoreId
from services.inventory.domain_catalog import Choice, Size, Store, Style
from services.inventory.domain_imports import Batch, Heading, Line, Outcome
from services.inventory.imports import StockImport
from services.inventory.store import LedgerStore
from services.inventory.store_catalog import CatalogStore
from services.inventory.store_imports import ImportStore
from tests.support.servers import postgres
from tests.support.tokens import caller

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
TABLES = ("store", "style", "choice", "sku", "level", "movement", "stock_import")
BERLIN = StoreId("berlin")
OSLO = StoreId("oslo")
SHIRT_M = Sku("SHIRT-RED-M")
SHIRT_L = Sku("SHIRT-RED-L")
SHIRT = Style(
    "shirt", "Shirt", "shirts", (Choice("red", (Size("M", SHIRT_M), Size("L", SHIRT_L))),)
)


@contextmanager
def inventory_postgres() -> Iterator[Postgres]:
    """A new PostgreSQL with the inventory database at its newest revision."""
    with postgres("inventory") as server:
        yield server


def open_database(server: Postgres, pool_size: int = 5) -> Database:
    url = SecretStr(server.app_url("inventory"))
    return Database({"eu-central-1": url}, pool_size=pool_size)


class Retailer:
    """One tenant and what it does. Each call is a transaction of its own."""

    def __init__(self, database: Database, server: Postgres) -> None:
        self.database = database
        self.server = server
        self.caller: Caller = caller()

    async def stock_up(self) -> None:
        """Makes the stores and the SKUs above."""
        for name in (BERLIN, OSLO):
            await self.create_store(Store(name, name.title(), "Europe/Berlin"))
        await self.create_style(SHIRT)

    async def create_store(self, store: Store, request_id: UUID | None = None) -> datetime:
        with serving(self.caller):
            async with self.database.transaction() as session:
                return await catalog.create_store(
                    store, request_id or uuid4(), store=CatalogStore(session), now=NOW
                )

    async def create_style(self, style: Style, request_id: UUID | None = None) -> datetime:
        with serving(self.caller):
            async with self.database.transaction() as session:
                return await catalog.create_style(
                    style, request_id or uuid4(), store=CatalogStore(session), now=NOW
                )

    async def move(self, units: int, **changed: Any) -> Posting:
        return await self.record(movement(units, **changed))

    async def record(self, stated: Movement) -> Posting:
        with serving(self.caller):
            async with self.database.transaction() as session:
                return await ledger.record_movement(stated, store=LedgerStore(session), now=NOW)

    async def count(self, *lines: Line, request_id: UUID | None = None) -> Outcome:
        with serving(self.caller):
            async with self.database.transaction() as session:
                stock_import = StockImport(ImportStore(session), NOW)
                await stock_import.open()
                await stock_import.add(Batch(lines, (), 0))
                return await stock_import.finish(Heading(request_id or uuid4(), NOW))

    async def on_hand(self, store: StoreId = BERLIN, sku: Sku = SHIRT_M) -> int:
        with serving(self.caller):
            async with self.database.transaction() as session:
                level = await LedgerStore(session).find_level(store, sku)
        return level.on_hand_units if level else 0

    def sql(
        self, statement: str, *values: object, role: str = "inventory_app"
    ) -> list[tuple[Any, ...]]:
        """Runs one statement as ``role`` within this tenant, and commits."""
        url = self.server.url(role, "inventory")
        # A failed commit leaves psycopg's own block without closing, so close outside of it.
        with closing(psycopg.connect(url)) as opened, opened as connection:
            connection.execute(
                "SELECT set_config('hemline.tenant_id', %s, true)", (str(self.caller.tenant_id),)
            )
            cursor = connection.execute(statement.encode(), values or None)
            return cursor.fetchall() if cursor.description else []


def movement(units: int, **changed: Any) -> Movement:
    stated: dict[str, Any] = {
        "request_id": uuid4(),
        "store": BERLIN,
        "sku": SHIRT_M,
        "reason": Reason.RECEIPT if units > 0 else Reason.SALE,
        "occur_time": NOW,
        **changed,
    }
    return Movement(delta_units=units, **stated)


def line(row: int, units: int, **changed: Any) -> Line:
    stated: dict[str, Any] = {"store": "berlin", "sku": SHIRT_M} | changed
    silent = dict.fromkeys(("style", "colour", "size", "category"), "")
    return Line(**{**silent, **stated, "row": row, "on_hand_units": units})
