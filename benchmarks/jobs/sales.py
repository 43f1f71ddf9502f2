"""Weekly sales of any number of series, loaded by COPY."""

from collections.abc import Iterator
from datetime import date, timedelta
from uuid import UUID

import numpy as np
import psycopg

STORES = 50
SIZES = 4  # SKUs of a product.
LAST_DAY = date(2026, 11, 15)  # A Sunday.
PROMOTED = 0.12  # Share of a product's weeks.
BLOCK = 500  # Series made at once.
COLUMNS = (
    "tenant_id, document, sku, occurrence, store, product, sale_date, units, unit_price_micros"
)


def load(superuser_url: str, tenant_id: UUID, series: int, weeks: int) -> int:
    """Replaces all sales by ``series`` series over ``weeks`` weeks, a line a week that sold.

    Returns:
        Lines.
    """
    lines = 0
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute("TRUNCATE sale_line")
        with (
            connection.cursor() as cursor,
            cursor.copy(f"COPY sale_line ({COLUMNS}) FROM STDIN") as copy,
        ):
            for block in _blocks(tenant_id, series, weeks):
                copy.write("\n".join(block) + "\n")
                lines += len(block)
        connection.execute("VACUUM ANALYZE sale_line")
    return lines


def _blocks(tenant_id: UUID, series: int, weeks: int) -> Iterator[list[str]]:
    """Negative binomial demand: levels of many sizes, a season by product, promotions by week."""
    random = np.random.default_rng(7)
    week = np.arange(weeks)
    days = [LAST_DAY - timedelta(days=7 * int(weeks - 1 - each)) for each in week]
    promoted = random.random((series // (STORES * SIZES) + 1, weeks)) < PROMOTED
    phase = random.random((promoted.shape[0], 1)) * 2 * np.pi
    for start in range(0, series, BLOCK):
        at = np.arange(start, min(start + BLOCK, series))
        product = at // (STORES * SIZES)
        level = random.gamma(0.8, 4.0, at.size)[:, np.newaxis]
        angle = 2 * np.pi * week / 52.18 + phase[product]
        season = 1 + 0.35 * np.sin(angle)
        mean = level * season * np.where(promoted[product], 2.0, 1.0)
        units = random.negative_binomial(3, 3 / (3 + mean))
        price = np.where(promoted[product], 14_900_000, 19_900_000)
        block = []
        for row, each in enumerate(at.tolist()):
            store, sku = f"s{each % STORES}", f"SKU-{each // STORES}"
            name = f"product-{product[row]}"
            block += [
                f"{tenant_id}\t{store}-{column}\t{sku}\t1\t{store}\t{name}\t{days[column]}\t"
                f"{units[row, column]}\t{price[row, column]}"
                for column in np.flatnonzero(units[row]).tolist()
            ]
        yield block
