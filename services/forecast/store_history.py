"""Reads a tenant's sales as the engine wants them: numbered series, daily sums."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from psycopg import sql
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.forecast.copying import copy_out
from services.forecast.domain import Extent
from services.forecast.history import History
from services.forecast.locks import share_sales
from services.forecast.panel import Integers
from services.forecast.tables import SaleLineRow

SERIES = """
SELECT DISTINCT ON (store, sku) store, sku, product FROM sale_line
ORDER BY store, sku, sale_date DESC, document DESC, occurrence DESC
"""
SERIES_COUNT = "SELECT count(*) FROM (SELECT DISTINCT store, sku FROM sale_line) AS series"
# Numbered in the same order as SERIES: both sort bytes, by the columns' collation.
DAILY = sql.SQL("""
SELECT series, day, units FROM (
    SELECT (dense_rank() OVER (ORDER BY store, sku) - 1)::integer AS series,
           (sale_date - {first})::integer AS day,
           sum(units)::bigint AS units
    FROM sale_line GROUP BY store, sku, sale_date
) AS daily WHERE day >= 0
""")
MOST_DAYS = 4 * 365
"""Of history. What sold before teaches little, and the engine's grid grows with every day."""
# COPY's binary format: a header, then for each row a count of fields, and each field's length.
HEADER_BYTES = 19
TRAILER_BYTES = 2
ROW = np.dtype(
    [
        ("fields", ">i2"),
        *[("series_bytes", ">i4"), ("series", ">i4")],
        *[("day_bytes", ">i4"), ("day", ">i4")],
        *[("units_bytes", ">i4"), ("units", ">i8")],
    ]
)


@dataclass(frozen=True, slots=True)
class Names:
    """What the numbers of a history stand for, in their order."""

    series: list[tuple[str, str, str]]  # Store, SKU, product as the last sale named it.
    products: list[str]


@dataclass(frozen=True, slots=True)
class Sales:
    names: Names
    history: History


async def measure(session: AsyncSession) -> Extent | None:
    """Counts what `read_sales` would read: the last four years until the last sale; None if none.

    A series that last sold before them counts. Imports wait until the transaction ends.
    """
    await share_sales(session)
    first = await session.scalar(select(func.min(SaleLineRow.sale_date)))
    last = await session.scalar(select(func.max(SaleLineRow.sale_date)))
    if first is None or last is None:
        return None
    series = await session.scalar(text(SERIES_COUNT))
    return Extent(max(first, last - timedelta(days=MOST_DAYS - 1)), last, int(series or 0))


async def read_sales(session: AsyncSession, extent: Extent) -> Sales:
    """Reads the sales of ``extent``, which was measured in the same transaction.

    A series that last sold before it is in the history, without sales.
    """
    series = [(row.store, row.sku, row.product) for row in await session.execute(text(SERIES))]
    rows = _rows(await copy_out(session, DAILY.format(first=sql.Literal(extent.first_date))))
    products = sorted({product for _, _, product in series})
    history = History(
        first_date=extent.first_date,
        days=extent.days,
        stores=_numbered([store for store, _, _ in series]),
        products=_numbered([product for _, _, product in series]),
        row_series=rows["series"].astype(np.int64),
        row_days=rows["day"].astype(np.int64),
        row_units=rows["units"].astype(np.int64),
    )
    return Sales(Names(series, products), history)


def _numbered(names: list[str]) -> Integers:
    numbers = {name: number for number, name in enumerate(sorted(set(names)))}
    return np.array([numbers[name] for name in names], dtype=np.int64)


def _rows(data: bytes) -> np.ndarray:
    return np.frombuffer(data[HEADER_BYTES:-TRAILER_BYTES], dtype=ROW)
