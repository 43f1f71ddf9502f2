"""Panels such as people have: each an Arrow table, with how to ask for its forecast."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa


@dataclass(frozen=True)
class Case:
    table: pa.Table
    cutoffs: tuple[str, ...]
    horizon: int
    period: str = "D"
    options: tuple[str, ...] = ()


def units(random: np.random.Generator, series: int, periods: int) -> Any:
    level = random.gamma(1.0, 5.0, (series, 1))
    season = 1 + 0.4 * np.sin(np.arange(periods) * 2 * np.pi / 7)
    return random.poisson(level * season).astype(np.float64)


def long(ids: Any, dates: Any, y: Any, **more: Any) -> pa.Table:
    """A table of whole series: ``y`` is (series, periods)."""
    series, periods = y.shape
    columns = {
        "unique_id": pa.array(ids).take(pa.array(np.repeat(np.arange(series), periods))),
        "ds": np.tile(dates, series),
        "y": y.ravel(),
    }
    return pa.table({**columns, **more})


def days(first: str, count: int) -> Any:
    return np.datetime64(first, "ns") + np.arange(count) * np.timedelta64(1, "D")


def weeks(first: str, count: int) -> Any:
    return np.datetime64(first, "ns") + np.arange(count) * np.timedelta64(7, "D")


def months(first: str, count: int) -> Any:
    return (np.datetime64(first, "M") + np.arange(count)).astype("datetime64[ns]")


def month_ends(first: str, count: int) -> Any:
    return months(first, count + 1)[1:] - np.timedelta64(1, "D")


def names(count: int) -> list[str]:
    return [f"s{number:05d}" for number in range(count)]


def _bare_daily(random: np.random.Generator) -> Case:
    y = units(random, 12, 120)
    return Case(long(names(12), days("2024-01-01", 120), y), ("2024-04-01", "2024-04-15"), 14)


def _integers(random: np.random.Generator) -> Case:
    y = units(random, 5, 90).astype(np.int32)
    table = long([9, 80, 700, 10, -3], days("2024-01-01", 90), y)
    dates = np.tile(days("2024-01-01", 90).astype("datetime64[D]"), 5)
    stamps = np.array([int(str(each).replace("-", "")) for each in dates])
    return Case(table.set_column(1, "ds", pa.array(stamps)), ("2024-03-16",), 7)


def _dates_as_text(random: np.random.Generator) -> Case:
    y = units(random, 4, 100)
    stamps = [f"{each:%d/%m/%Y}" for each in days("2024-01-01", 100).astype("M8[D]").tolist()]
    table = long(names(4), np.array(stamps), y)
    return Case(table, ("2024-03-20",), 10)


def _times_of_day(random: np.random.Generator) -> Case:
    dates = days("2024-01-01", 80) + np.timedelta64(22, "h")
    return Case(long(names(3), dates, units(random, 3, 80)), ("2024-03-01",), 7)


def _time_zone(random: np.random.Generator) -> Case:
    y = units(random, 3, 100)
    table = long(names(3), days("2024-01-20", 100), y)
    local = pa.compute.assume_timezone(table["ds"], "Europe/Berlin")
    return Case(table.set_column(1, "ds", local), ("2024-03-28",), 14)


def _weeks_on_sundays(random: np.random.Generator) -> Case:
    y = units(random, 6, 130)
    flag = random.random(6 * 130) < 0.1
    table = long(names(6), weeks("2021-01-03", 130), y, **{"Is Holiday": flag})
    return Case(table, ("2023-04-02", "2023-05-07"), 8, "W", ("--known", "Is Holiday"))


def _weeks_on_many_weekdays(random: np.random.Generator) -> Case:
    parts = [
        long([f"store {on}"], weeks(f"2022-01-0{on + 1}", 110), units(random, 1, 110))
        for on in range(7)
    ]
    return Case(pa.concat_tables(parts), ("2023-12-20",), 6, "W")


def _weeks_stamped_late(random: np.random.Generator) -> Case:
    dates = weeks("2022-01-03", 120) + random.choice([0, 0, 0, 0, 1, 2], 120).astype("m8[D]")
    return Case(long(names(4), dates, units(random, 4, 120)), (str(dates[100])[:10],), 8, "W")


def _month_starts(random: np.random.Generator) -> Case:
    y = units(random, 8, 60) + 100.0
    return Case(long(names(8), months("2018-01", 60), y), ("2021-12-01",), 12, "M")


def _month_ends(random: np.random.Generator) -> Case:
    table = long(names(8), month_ends("2018-01", 60), units(random, 8, 60))
    dates = table["ds"].cast(pa.date32(), safe=False)
    return Case(table.set_column(1, "ds", dates), ("2021-12-31",), 12, "M")


def _fiscal_months(random: np.random.Generator) -> Case:
    steps = np.tile([28, 28, 35], 20)
    dates = np.datetime64("2018-01-27", "ns") + np.cumsum(steps).astype("m8[D]")
    return Case(long(names(5), dates, units(random, 5, 60)), (str(dates[47])[:10],), 6, "M")


def _epochs(random: np.random.Generator) -> Case:
    stamps = days("2024-01-01", 60).astype("datetime64[ms]").astype(np.int64)
    table = long(names(3), stamps, units(random, 3, 60))
    ids = table["unique_id"].cast(pa.string_view())
    return Case(table.set_column(0, "unique_id", ids), ("2024-02-20",), 7)


def _months_as_text(random: np.random.Generator) -> Case:
    stamps = np.array([str(each)[:7] for each in months("2015-01", 72)])
    return Case(long(names(3), stamps, units(random, 3, 72)), ("2019-12",), 12, "M")


def _counted(random: np.random.Generator) -> Case:
    table = long(names(6), np.arange(1, 81), units(random, 6, 80))
    return Case(table, ("70",), 10, "W", ("--period", "W"))


def _gaps_mean_zero(random: np.random.Generator) -> Case:
    table = long(names(10), days("2024-01-01", 150), units(random, 10, 150) // 4)
    return Case(table.filter(pa.compute.greater(table["y"], 0)), ("2024-05-01",), 14)


def _gaps_are_unknown(random: np.random.Generator) -> Case:
    table = long(names(10), days("2024-01-01", 150), units(random, 10, 150) // 3)
    return Case(table.filter(pa.array(random.random(len(table)) < 0.8)), ("2024-05-01",), 14)


def _holes_in_y(random: np.random.Generator) -> Case:
    y = units(random, 6, 90)
    y[random.random(y.shape) < 0.2] = np.nan
    y[2] = np.nan
    y[3, :70] = np.nan
    return Case(long(names(6), days("2024-01-01", 90), y), ("2024-03-20",), 7)


def _negative(random: np.random.Generator) -> Case:
    y = units(random, 5, 90) - 3.0
    return Case(long(names(5), days("2024-01-01", 90), y), ("2024-03-20",), 7)


def _short(random: np.random.Generator) -> Case:
    table = long(names(9), weeks("2024-01-01", 20), units(random, 9, 20))
    born = np.repeat(np.array([0, 0, 5, 10, 14, 15, 16, 17, 19]), 20)
    alive = np.tile(np.arange(20), 9) >= born
    return Case(table.filter(pa.array(alive)), ("2024-04-15",), 4, "W")


def _one_record(random: np.random.Generator) -> Case:
    table = long(["only"], days("2024-01-01", 8), units(random, 1, 8))
    return Case(table, ("2024-01-01",), 7)


def _never_sold(_: np.random.Generator) -> Case:
    return Case(long(names(4), weeks("2023-01-02", 80), np.zeros((4, 80))), ("2024-05-06",), 8, "W")


def _constant(_: np.random.Generator) -> Case:
    y = np.full((3, 60), 7.0)
    return Case(long(names(3), months("2019-01", 60), y), ("2022-12-01",), 12, "M")


def _enormous(random: np.random.Generator) -> Case:
    y = units(random, 4, 90) * np.array([[1e-6], [1.0], [1e9], [1e15]])
    return Case(long(names(4), days("2024-01-01", 90), y), ("2024-03-20",), 7)


def _outlier(random: np.random.Generator) -> Case:
    y = units(random, 6, 200)
    y[:, 190] *= 1e6
    return Case(long(names(6), days("2024-01-01", 215)[:200], y), ("2024-07-10",), 7)


def _ends_at_the_cutoff(random: np.random.Generator) -> Case:
    table = long(names(5), month_ends("2020-01", 40), units(random, 5, 40))
    return Case(table, ("2023-04-30",), 6, "M")


def _plan_ahead(random: np.random.Generator) -> Case:
    y = units(random, 5, 100)
    y[:, 90:] = np.nan
    promotion = (random.random(500) < 0.2).astype(np.int8)
    table = long(names(5), days("2024-01-01", 100), y, promotion=promotion)
    return Case(table, ("2024-03-30",), 10, "D", ("--known", "promotion"))


def _typed(random: np.random.Generator) -> Case:
    """Decimals, flags, names, codes, empty cells: whatever databases export."""
    y = units(random, 6, 120)
    price = random.uniform(1, 9, 720).round(2)
    event = random.choice(
        np.array(["none", "Xmas", "sale, big", ""]), 720, p=[0.9, 0.02, 0.05, 0.03]
    )
    table = long(pa.array(names(6)).dictionary_encode(), weeks("2021-01-04", 120), y).append_column(
        "Unit Price", pa.array([Decimal(str(each)) for each in price])
    )
    for name, column in {
        "on_ad": pa.array(random.random(720) < 0.2),
        "event": pa.array(event).dictionary_encode(),
        "digits": pa.array([str(each) for each in random.integers(0, 3, 720)]),
        "empty": pa.nulls(720),
        "half": pa.array(np.where(random.random(720) < 0.5, np.nan, 1.0)),
        "constant": pa.array(np.ones(720)),
        "infinite": pa.array(np.where(random.random(720) < 0.01, np.inf, 2.0)),
        "huge": pa.array(random.random(720) * 1e300),
        "tiny": pa.array(random.random(720) * -1e-300),
        "shop": pa.array(np.repeat([1.5, 1.5, 2.5, 2.5, np.nan, 3.5], 120)),
        "brand": pa.array(np.repeat(["a", "b", None, "a", "c", "c"], 120).tolist()),
        "open": pa.array(np.repeat([True, False, True, True, True, True], 120)),
    }.items():
        table = table.append_column(name, column)
    return Case(
        table,
        ("2022-12-26",),
        8,
        "W",
        (
            "--known", "Unit Price,on_ad,event,digits,empty,half,constant,infinite,huge,tiny",
            "--static", "shop,brand", "--static", "open",
        ),
    )  # fmt: skip


def _years_of_days(random: np.random.Generator) -> Case:
    return Case(
        long(names(3), days("2019-01-01", 1900), units(random, 3, 1900)), ("2024-02-01",), 28
    )


def _closed_on_sundays(random: np.random.Generator) -> Case:
    dates = days("2024-01-01", 200)
    table = long(names(6), dates, units(random, 6, 200) + 1)
    weekday = np.tile(dates.astype("M8[D]").astype(int) % 7, 6)
    return Case(table.filter(pa.array(weekday != 3)), ("2024-06-15",), 14)


def _staggered_ends(random: np.random.Generator) -> Case:
    table = long(names(6), months("2010-01", 80), units(random, 6, 80) + 50)
    ends = np.repeat([80, 75, 70, 66, 65, 80], 80)
    return Case(table.filter(pa.array(np.tile(np.arange(80), 6) < ends)), ("2015-05-01",), 12, "M")


def _long_horizon(random: np.random.Generator) -> Case:
    return Case(
        long(names(4), weeks("2022-01-03", 90), units(random, 4, 90)), ("2022-07-04",), 60, "W"
    )


CASES: dict[str, Callable[[np.random.Generator], Case]] = {
    made.__name__.removeprefix("_"): made
    for made in (
        _bare_daily, _integers, _dates_as_text, _times_of_day, _time_zone, _weeks_on_sundays,
        _weeks_on_many_weekdays, _weeks_stamped_late, _month_starts, _month_ends, _fiscal_months,
        _months_as_text, _counted, _gaps_mean_zero, _gaps_are_unknown, _holes_in_y, _negative,
        _short, _one_record, _never_sold, _constant, _enormous, _outlier, _ends_at_the_cutoff,
        _plan_ahead, _typed, _years_of_days, _closed_on_sundays, _staggered_ends, _long_horizon,
        _epochs,
    )
}  # fmt: skip


def case(name: str) -> Case:
    """The same table at every call."""
    return CASES[name](np.random.default_rng(list(CASES).index(name)))
