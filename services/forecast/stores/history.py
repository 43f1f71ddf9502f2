"""How much sales history a tenant has."""

from datetime import date, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.forecast.domain.forecasts import Extent
from services.forecast.postgres.locks import share_sales
from services.forecast.tables.plans import DataImportRow
from services.forecast.tables.sales import SaleLineRow, SalesImportRow

SERIES_COUNT = "SELECT count(*) FROM (SELECT DISTINCT store, sku FROM sale_line) AS series"
MOST_DAYS = 4 * 365
"""Of history. What sold before teaches little, and a panel grows with every day."""


async def measure(session: AsyncSession) -> Extent | None:
    """Counts what can be read: the last four years until the last sale; None if there is none.

    A series that last sold before them counts. Imports wait until the transaction ends.
    """
    await share_sales(session)
    days = await span(session)
    if days is None:
        return None
    series = await session.scalar(text(SERIES_COUNT))
    return Extent(*days, int(series or 0))


async def span(session: AsyncSession) -> tuple[date, date] | None:
    """The first and the last day of what can be read, without reading it."""
    first = await session.scalar(select(func.min(SaleLineRow.sale_date)))
    last = await session.scalar(select(func.max(SaleLineRow.sale_date)))
    if first is None or last is None:
        return None
    return max(first, last - timedelta(days=MOST_DAYS - 1)), last


async def edition(session: AsyncSession) -> str:
    """Changes whenever something is imported: what is computed from imports is good as long."""
    sales = select(func.max(SalesImportRow.create_time), func.count()).select_from(SalesImportRow)
    facts = select(func.max(DataImportRow.create_time), func.count()).select_from(DataImportRow)
    found = [(await session.execute(query)).one() for query in (sales, facts)]
    return ".".join(f"{moment and moment.timestamp()}-{count}" for moment, count in found)
