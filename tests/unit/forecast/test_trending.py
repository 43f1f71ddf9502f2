"""Answers about trends and new products from panels made here."""

from datetime import date

import numpy as np
import pytest

from services.forecast.answers.cold_start import expect
from services.forecast.answers.trends import BLOCK_GROUPS, trends_of
from services.forecast.domain.cold_start import NewProduct
from services.forecast.domain.forecasts import NoSales
from services.forecast.domain.trends import Question
from services.forecast.engine.arrays import Floats
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period
from services.forecast.panels.read import Names, Read

WEEKS = 40
LAST = np.datetime64("2026-05-31")
CHANGE = 30


def read_of(units: Floats) -> Read:
    """A series each product, all in one store."""
    rows = np.arange(units.shape[0])
    products = tuple(f"product-{row:05d}" for row in rows)
    dates = LAST + 7 * (np.arange(WEEKS + 1) - WEEKS + 1)
    static = {"store": 0 * rows, "product": rows}
    panel = Panel(Period.WEEK, dates, units, static=static)
    return Read(panel, Names([], {"store": ("berlin",), "product": products}))


def test_trends_are_ordered_by_the_growth_that_is_sure() -> None:
    random = np.random.default_rng(1)
    levels = np.geomspace(0.3, 300, 60)[:, np.newaxis]
    read = read_of(random.poisson(levels * np.ones(WEEKS)).astype(np.float64))
    found = trends_of(read, Question())
    sure = [trend.growth_ratio_p10 for trend in found]
    assert len(found) > 50
    assert sure == sorted(sure, reverse=True)
    assert [trend.rank for trend in found] == list(range(1, len(found) + 1))


def test_a_change_is_dated_with_its_week_s_first_day_in_every_block() -> None:
    units = np.random.default_rng(2).poisson(20.0, (BLOCK_GROUPS + 2, WEEKS)).astype(np.float64)
    changed = {0, BLOCK_GROUPS + 1}
    units[np.ix_(sorted(changed), range(CHANGE, WEEKS))] *= 8
    trends = trends_of(read_of(units), Question())
    found = {trend.group: trend.change_points for trend in trends if trend.change_points}
    for row in changed:
        (point,) = found[f"product-{row:05d}"]
        assert point.first_day == date(2026, 3, 23)
        assert point.ratio == pytest.approx(8, rel=0.3)


def test_a_new_product_needs_a_store_that_sells() -> None:
    wanted = NewProduct((("category", "coat"),), (), 4, ())
    with pytest.raises(NoSales):
        expect(read_of(np.zeros((2, WEEKS))), wanted)
