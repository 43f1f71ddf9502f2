from uuid import uuid4

from deploy.local.postgres import Postgres
from tests.store.forecast.support import as_app


def test_the_last_day_of_sales_is_found_without_reading_them(server: Postgres) -> None:
    with as_app(server, uuid4()) as connection:
        # Of an empty table, a planner may choose anything that is allowed.
        connection.execute("SET LOCAL enable_seqscan = off")
        connection.execute("SET LOCAL enable_bitmapscan = off")
        plan = connection.execute("EXPLAIN SELECT max(sale_date) FROM sale_line").fetchall()
    text = "\n".join(line for (line,) in plan)
    assert "Limit" in text
    assert "using sale_line_dates" in text
