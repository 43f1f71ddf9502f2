from datetime import date

import numpy as np

from services.forecast.domain.panels import SeriesName
from services.forecast.engine.period import Period
from services.forecast.panels.collected import Collected, Days, Sold
from services.forecast.panels.demand import Shelf, settled
from services.forecast.panels.grid import Grid

MONDAY = date(2026, 3, 2)
WEEKS = Grid(Period.WEEK, MONDAY, 2, 1)


def shelf(*changes: tuple[int, bool]) -> Shelf:
    days, empty = zip(*changes, strict=True)
    return Shelf(np.array(days), np.array(empty))


def test_a_shelf_stays_as_it_was_until_its_store_is_no_longer_known() -> None:
    found = shelf((-5, False), (2, True), (4, False), (6, True)).on(days=10, last=7)
    assert np.flatnonzero(found).tolist() == [2, 3, 6, 7]


def test_before_its_first_count_a_shelf_is_not_known_to_be_empty() -> None:
    assert np.flatnonzero(shelf((3, True)).on(days=6, last=5)).tolist() == [3, 4, 5]


def test_days_on_an_empty_shelf_have_no_exposure() -> None:
    units = np.full((1, 14), 2.0)
    units[0, 10:] = 0.0
    empty = np.zeros((1, 14), dtype=bool)
    empty[0, 10:] = True
    found, exposure = settled(units, empty, WEEKS)
    np.testing.assert_allclose(exposure, [[1, 3 / 7]])
    np.testing.assert_allclose(found, [[14, 6]])


def test_a_day_that_sold_out_counts_for_more_than_was_sold() -> None:
    units = np.full((1, 14), 4.0)
    empty = np.zeros((1, 14), dtype=bool)
    units[0, 12], empty[0, 12] = 3.0, True
    found, exposure = settled(units, empty, WEEKS)
    assert 4 * 6 + 3 < found[0, 1] < 4 * 6 + 9
    assert exposure[0, 1] == 1


def test_what_was_not_for_sale_yet_has_no_units_and_a_part_of_its_first_week() -> None:
    units = np.full((1, 14), np.nan)
    units[0, 10:] = 1.0
    found, exposure = settled(units, np.zeros((1, 14), dtype=bool), WEEKS)
    np.testing.assert_array_equal(found, [[np.nan, 4]])
    np.testing.assert_allclose(exposure, [[1, 4 / 7]])


def collect(shelves: dict[tuple[str, str], Shelf], *sold: Sold) -> Collected:
    days = Days(WEEKS, shelves, {"berlin": 13})
    for each in sold:
        days.add(each)
    return days.end({sku: sku for _, sku in shelves})


def sold_on(sku: str, *columns: int) -> Sold:
    ones = np.ones(len(columns))
    return Sold(SeriesName("berlin", sku, sku), np.array(columns), ones, ones, 10 * ones)


def test_what_was_stocked_but_never_sold_is_a_series_of_zeros() -> None:
    found = collect({("berlin", "A"): shelf((8, False))}, sold_on("B", 0, 9))
    assert [name.sku for name in found.names] == ["A", "B"]
    np.testing.assert_array_equal(found.units[0], [np.nan, 0])
    np.testing.assert_array_equal(found.units[1], [1, 1])
    np.testing.assert_array_equal(found.revenue[1], [10, 10])


def test_what_was_stocked_before_it_sold_begins_with_its_stock() -> None:
    found = collect({("berlin", "B"): shelf((0, False))}, sold_on("B", 9))
    np.testing.assert_array_equal(found.units[0], [0, 1])


def test_what_was_never_on_the_shelf_is_no_series() -> None:
    found = collect({("berlin", "A"): shelf((2, True))}, sold_on("B", 0))
    assert [name.sku for name in found.names] == ["B"]


def test_a_count_that_sales_contradict_is_not_believed() -> None:
    found = collect({("berlin", "B"): shelf((0, True))}, sold_on("B", 1, 4, 9, 12))
    np.testing.assert_array_equal(found.units[0], [2, 2])
    np.testing.assert_allclose(found.exposure[0], [6 / 7, 1])
    # Once sold out, it is.
    found = collect({("berlin", "B"): shelf((0, False), (9, True))}, sold_on("B", 1, 4, 9, 12))
    assert found.exposure[0][1] < 1
