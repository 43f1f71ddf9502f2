"""A PostgreSQL with the forecast service's tables, and sales to put into them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from uuid import UUID, uuid4

import psycopg
from pydantic import SecretStr

from deploy.local.postgres import Postgres
from services.chassis.database import Database
from services.forecast.domain.imports import Batch
from services.forecast.domain.sales import SalesLine
from tests.support import servers

HOME = "eu-central-1"
FIRST_DAY = date(2026, 3, 2)  # A Monday.


@contextmanager
def forecast_postgres() -> Iterator[Postgres]:
    with servers.postgres("forecast") as server:
        yield server


def open_database(server: Postgres) -> Database:
    return Database({HOME: SecretStr(server.app_url("forecast"))})


def as_app(server: Postgres, tenant_id: UUID | None) -> psycopg.Connection:
    """A plain connection as the service's role, in a transaction of ``tenant_id``."""
    connection = psycopg.connect(server.app_url("forecast"))
    setting = str(tenant_id or "")
    connection.execute("SELECT set_config('hemline.tenant_id', %s, true)", (setting,))
    return connection


def line(row: int = 1, **changed: object) -> SalesLine:
    good = SalesLine(
        row=row,
        document=f"R-{row}",
        store="berlin",
        sku="SHIRT-M",
        product="shirt/navy",
        sale_date=FIRST_DAY + timedelta(days=row % 7),
        units=1,
        unit_price_micros=19_900_000,
    )
    return good._replace(**changed)  # type: ignore[arg-type]


def batch(*lines: SalesLine, request_id: UUID | None = None) -> Batch[SalesLine]:
    return Batch(request_id or uuid4(), lines, (), 0)
