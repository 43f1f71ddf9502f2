"""Seasons as files: sales, stock, promotions and the truth for scoring, as CSV or Parquet."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from season.promotions import Promotion
from season.simulate import Season, StockCount, StockDay

Format = Literal["csv", "parquet"]
BATCH_ROWS = 100_000


class Table(NamedTuple):
    name: str
    columns: tuple[str, ...]
    rows: Iterable[tuple[Any, ...]]


SALES_COLUMNS = ("document", "store", "sku", "product", "sale_date", "units", "unit_price")
TRUTH_COLUMNS = (
    "date", "store", "sku", "expected_units", "demand_units", "sold_units", "available_units",
    "on_sale", "stock_out",
)  # fmt: skip
PROMOTION_COLUMNS = tuple(Promotion.__dataclass_fields__)


def tables(season: Season) -> tuple[Table, ...]:
    """The tables of a season. Rows are made as they are read."""
    promotions = (
        tuple(getattr(promotion, name) for name in PROMOTION_COLUMNS)
        for promotion in season.promotions
    )
    return (
        Table("sales", SALES_COLUMNS, _sales(season)),
        Table("stock", StockCount._fields, season.stock),
        Table("stock_days", StockDay._fields, season.stock_days),
        Table("promotions", PROMOTION_COLUMNS, promotions),
        Table("truth", TRUTH_COLUMNS, _truth(season)),
    )


def write(season: Season, folder: Path, file_format: Format) -> list[Path]:
    """Writes one file for each table into ``folder``, which is made. Existing ones are replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for table in tables(season):
        path = folder / f"{table.name}.{file_format}"
        _write_csv(path, table) if file_format == "csv" else _write_parquet(path, table)
        paths.append(path)
    return paths


def _sales(season: Season) -> Iterator[tuple[Any, ...]]:
    """Lines as `hemline import sales` reads them: prices in the currency, not in millionths."""
    return ((*line[:-1], line.unit_price_micros / 1_000_000) for line in season.sales)


def _truth(season: Season) -> Iterator[tuple[Any, ...]]:
    """One row for each day and series, by day."""
    truth = season.truth
    stock_out = truth.stock_out
    stores = [season.stores[index].name for index in season.series.store_index]
    skus = [season.catalog.skus[index].sku for index in season.series.sku_index]
    for index, day in enumerate(season.days):
        columns = (
            np.round(truth.expected[index], 6), truth.demand[index], truth.sold[index],
            truth.available[index], truth.on_sale[index], stock_out[index],
        )  # fmt: skip
        values = zip(stores, skus, *(column.tolist() for column in columns), strict=True)
        yield from ((day, *row) for row in values)


def _write_csv(path: Path, table: Table) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table.columns)
        writer.writerows(table.rows)


def _write_parquet(path: Path, table: Table) -> None:
    import pyarrow as pa  # 0.3 s, and only these files need it.
    import pyarrow.parquet as pq

    writer = None
    for rows in _batches(table.rows, BATCH_ROWS):
        columns = zip(*rows, strict=True)
        batch = pa.table([pa.array(column) for column in columns], names=list(table.columns))
        writer = writer or pq.ParquetWriter(path, batch.schema)
        writer.write_table(batch)
    if writer:
        writer.close()


def _batches(rows: Iterable[tuple[Any, ...]], size: int) -> Iterator[list[tuple[Any, ...]]]:
    batch: list[tuple[Any, ...]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
