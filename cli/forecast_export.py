"""Forecasts as a file: a row a series and day, written as they arrive."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from hemline.forecast.v1 import forecast_service_pb2 as pb

from cli.output import Report
from cli.problems import Problem

SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("store", "sku", "product")),
        ("date", pa.date32()),
        *((name, pa.float64()) for name in ("mean", "p10", "p50", "p90", "system_mean")),
    ]
)
UNITS = ("mean_units", "p10_units", "p50_units", "p90_units", "system_mean_units")

Write = Callable[[pa.Table], None]
Writer = Callable[[Path], AbstractContextManager[Write]]


class Written(NamedTuple):
    run: pb.ForecastRun
    series: int
    rows: int


def writer_for(out: Path) -> Writer:
    """Raises Problem before anything is asked for, if ``out`` cannot be written."""
    writers: dict[str, Writer] = {".parquet": _parquet, ".csv": _csv}
    if out.suffix not in writers:
        raise Problem(f"--out {out} is neither Parquet nor CSV", "name it FILE.parquet or FILE.csv")
    if not out.resolve().parent.is_dir():
        raise Problem(f"--out {out}: no such folder", f"make it with mkdir -p {out.parent}")
    return writers[out.suffix]


def write(
    messages: Iterable[pb.StreamForecastsResponse], out: Path, writer: Writer, report: Report
) -> Written:
    """Writes all of it or nothing: whoever reads ``out`` meanwhile sees the old file."""
    part = out.with_name(f".{out.name}.part")
    run, series, rows = pb.ForecastRun(), 0, 0
    try:
        with writer(part) as add:
            for message in messages:
                table = _table(message.forecasts)
                add(table)
                run = message.forecast_run
                series, rows = series + len(message.forecasts), rows + table.num_rows
                report(series / max(run.series, 1))
        part.replace(out)
    except OSError as error:
        raise Problem(f"--out {out} cannot be written: {error.strerror or error}") from None
    finally:
        part.unlink(missing_ok=True)
    return Written(run, series, rows)


def _table(forecasts: Iterable[pb.Forecast]) -> pa.Table:
    columns: dict[str, list[object]] = {name: [] for name in SCHEMA.names}
    for forecast in forecasts:
        days = len(forecast.days)
        columns["store"] += [forecast.name.split("/")[1]] * days
        columns["sku"] += [forecast.sku] * days
        columns["product"] += [forecast.product] * days
        columns["date"] += [day.date for day in forecast.days]
        for name in UNITS:
            columns[name.removesuffix("_units")] += [getattr(day, name) for day in forecast.days]
    dates = pa.array(columns.pop("date"), pa.string()).cast(pa.date32())
    return pa.table({**columns, "date": dates}).select(SCHEMA.names).cast(SCHEMA)


@contextmanager
def _parquet(path: Path) -> Iterator[Write]:
    with pq.ParquetWriter(path, SCHEMA) as writer:
        yield writer.write_table


@contextmanager
def _csv(path: Path) -> Iterator[Write]:
    with pa_csv.CSVWriter(path, SCHEMA) as writer:
        yield writer.write_table
