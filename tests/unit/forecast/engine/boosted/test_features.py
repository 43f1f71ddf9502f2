from dataclasses import replace

import numpy as np
import pytest

from services.forecast.engine.boosted.bench import lay
from services.forecast.engine.boosted.features import Features, Layout, build
from services.forecast.engine.boosted.rows import Rows, every
from services.forecast.engine.panel import Panel
from tests.unit.forecast.engine.boosted.support import PERIODS, promoted, said


def features(given: Panel, rows: Rows) -> Features:
    bench = lay(given, said(given, PERIODS), 1, Layout.of(given))
    (block,) = bench.blocks()
    return build(block, rows, as_sold=True)


def test_features_are_the_same_whatever_the_unit_of_sales() -> None:
    given, _ = promoted()
    rows = every(slice(0, given.series), np.array([60, 90]), given.ahead)
    small = features(given, rows)
    large = features(replace(given, units=given.units * 1000), rows)
    same = [index for index, name in enumerate(small.names) if name != "level"]
    assert large.values[:, same] == pytest.approx(small.values[:, same], rel=1e-3, nan_ok=True)
    assert large.unit == pytest.approx(small.unit * 1000)


def test_features_of_a_past_origin_read_nothing_after_it() -> None:
    given, _ = promoted()
    units = given.units.copy()
    units[:, 60:] = 999.0
    rows = every(slice(0, given.series), np.array([60]), given.ahead)
    names = features(given, rows).names
    # A group's voices are the series' means over the bench's whole past, known when it is fitted.
    alone = [index for index, name in enumerate(names) if ": " not in name]
    before, after = features(given, rows), features(replace(given, units=units), rows)
    assert np.array_equal(before.values[:, alone], after.values[:, alone], equal_nan=True)


def test_a_window_counts_what_is_recorded() -> None:
    given, _ = promoted()
    units = np.full_like(given.units, 8.0)
    units[:, 50:56] = np.nan
    gap = features(
        replace(given, units=units, known={}, static={}),
        Rows(np.array([0]), np.array([58]), np.array([1])),
    )
    values = dict(zip(gap.names, gap.values[0], strict=True))
    assert values["mean 8"] == pytest.approx(values["mean all"])
    assert np.isnan(values["lag 3"])
    assert values["lag 1"] == pytest.approx(8.0 / gap.unit[0])


def test_codes_beyond_a_thousand_are_no_categories() -> None:
    given, _ = promoted()
    many = np.arange(given.series, dtype=np.int64) + 1000
    assert Layout.of(replace(given, static={"many": many})).categories == ()


def test_a_price_that_is_0_here_and_there_is_still_a_price() -> None:
    given, _ = promoted()
    price = np.full((given.series, given.dates.size), 3.0)
    price[::50, ::50] = 0.0
    flag = given.known["leaflet"]
    assert Layout.of(replace(given, known={"price": price, "flag": flag})).prices == ("price",)
