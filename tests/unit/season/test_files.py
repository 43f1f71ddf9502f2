import csv
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from season import SeasonConfig, files, simulate


def test_both_formats_hold_the_same_tables(small: SeasonConfig, tmp_path: Path) -> None:
    season = simulate(small)
    files.write(season, tmp_path, "csv")
    files.write(season, tmp_path, "parquet")
    for name in ("sales", "stock", "stock_days", "promotions", "truth"):
        with (tmp_path / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
        table = pq.read_table(tmp_path / f"{name}.parquet")
        assert table.column_names == header
        assert table.num_rows == len(rows)
    truth = pq.read_table(tmp_path / "truth.parquet")
    assert truth.num_rows == len(season.days) * len(season.series)
    assert sum(truth["sold_units"].to_pylist()) == season.truth.sold.sum()


def test_levels_between_stock_days_are_those_of_the_day_before(small: SeasonConfig) -> None:
    season = simulate(small)
    index = {
        (season.stores[store].name, season.catalog.skus[sku].sku): at
        for at, (store, sku) in enumerate(
            zip(season.series.store_index, season.series.sku_index, strict=True)
        )
    }
    levels = np.zeros_like(season.shelves.closing)
    for day, store, sku, units in season.stock_days:
        levels[season.days.index(day) :, index[store, sku]] = units
    assert (levels == season.shelves.closing).all()
    assert len(list(season.stock_days)) < 0.8 * levels.size
