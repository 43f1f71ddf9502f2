import csv
from pathlib import Path

import pyarrow.parquet as pq

from season import SeasonConfig, files, simulate


def test_both_formats_hold_the_same_tables(small: SeasonConfig, tmp_path: Path) -> None:
    season = simulate(small)
    files.write(season, tmp_path, "csv")
    files.write(season, tmp_path, "parquet")
    for name in ("sales", "stock", "promotions", "truth"):
        with (tmp_path / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
        table = pq.read_table(tmp_path / f"{name}.parquet")
        assert table.column_names == header
        assert table.num_rows == len(rows)
    truth = pq.read_table(tmp_path / "truth.parquet")
    assert truth.num_rows == len(season.days) * len(season.series)
    assert sum(truth["sold_units"].to_pylist()) == season.truth.sold.sum()
