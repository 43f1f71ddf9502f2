"""Reads the sizes of a choice: the SKUs of one style and colour.

Every statement runs in the caller's transaction, which row-level security limits to one tenant.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.forecast.domain.explanations import MOST_SIZES, Size
from services.forecast.domain.forecasts import Run

OWN = """
SELECT attribute, value FROM attribute
WHERE subject = 'sku' AND code = :sku AND attribute IN ('style', 'colour', 'size')
"""
# The style by its index, in order; of each SKU the rest by whole keys. LIMIT 1 keeps PostgreSQL
# from weighing other joins: written as plain ones, they took 7 ms to plan and 0.3 ms to run.
SIZES = """
SELECT style.code, size.value, series.shard, series.state
FROM attribute AS style
CROSS JOIN LATERAL (
    SELECT value FROM attribute
    WHERE subject = 'sku' AND code = style.code AND attribute = 'colour' LIMIT 1
) AS colour
CROSS JOIN LATERAL (
    SELECT value FROM attribute
    WHERE subject = 'sku' AND code = style.code AND attribute = 'size' LIMIT 1
) AS size
CROSS JOIN LATERAL (
    SELECT shard, state FROM forecast_series
    WHERE run_id = :run AND store = :store AND sku = style.code AND state IS NOT NULL LIMIT 1
) AS series
WHERE style.subject = 'sku' AND style.attribute = 'style' AND style.value = :style
    AND colour.value = :colour
ORDER BY style.code LIMIT :most
"""


async def sizes_of(session: AsyncSession, run: Run, store: str, sku: str) -> list[Size]:
    """All sizes of the choice of ``sku`` that ``run`` forecasts in ``store``, by SKU, its own too.

    Empty if its style, colour or size is not known, if there is one size alone, and if there are
    more than `MOST_SIZES`.
    """
    rows = await session.execute(text(OWN), {"sku": sku})
    own: dict[str, str] = dict(rows.all())
    if not {"style", "colour", "size"} <= own.keys():
        return []
    values = {
        "run": run.id,
        "store": store,
        "style": own["style"],
        "colour": own["colour"],
        "most": MOST_SIZES + 1,
    }
    rows = await session.execute(text(SIZES), values)
    found = [Size(code, size, shard, bytes(state)) for code, size, shard, state in rows]
    told = len({each.size for each in found}) > 1 and len(found) <= MOST_SIZES
    return found if told else []
