"""Terms read the past alone, and are 0 where nothing is unusual."""

import numpy as np
import pytest

from services.forecast.engine.promo import terms
from services.forecast.engine.promo.columns import Column, Kind
from services.forecast.engine.promo.terms import Recipe, first_known, followed

KINDS = [
    Column("x", Kind.FLAG),
    Column("x", Kind.CODE, codes=(1.0, 2.0)),
    Column("x", Kind.RATIO),
    Column("x", Kind.AMOUNT, scale=2.0),
    Column("x", Kind.SHARE),
    Column("x", Kind.LINEAR, low=1.0, scale=2.0),
]


def test_a_usual_level_is_the_discounted_mean_of_what_came_before() -> None:
    values = np.array([[2.0, 4.0, np.nan, 8.0]])
    found, after = followed(values, 0.5, first_known(values))
    assert found.tolist() == [[2.0, 2.0, 3.0, 3.0]]
    assert after.tolist() == [5.5]


def test_many_columns_are_followed_like_few() -> None:
    values = np.random.default_rng(1).normal(size=(3, 2 * terms.SHORT))
    start = np.array([1.0, 2.0, 3.0])
    whole, after = followed(values, 0.9, start)
    half, middle = followed(values[:, : terms.SHORT], 0.9, start)
    rest, end = followed(values[:, terms.SHORT :], 0.9, middle)
    np.testing.assert_allclose(np.hstack((half, rest)), whole)
    np.testing.assert_allclose(end, after)


def test_a_usual_level_stays_where_nothing_is_known() -> None:
    random = np.random.default_rng(3)
    values = random.normal(size=(4, terms.SHORT + 20))
    values[random.random(values.shape) < 0.4] = np.nan
    values[3] = np.nan
    start = np.array([1.0, 2.0, 3.0, 4.0])
    found, after = followed(values, 0.9, start)
    for row, mean in enumerate(start.tolist()):
        usual = mean
        for column, value in enumerate(values[row].tolist()):
            assert found[row, column] == pytest.approx(usual)
            usual = usual if np.isnan(value) else 0.9 * usual + 0.1 * value
        assert after[row] == pytest.approx(usual)


@pytest.mark.parametrize("column", KINDS, ids=lambda column: column.kind.value)
def test_no_term_reads_a_later_column(column: Column) -> None:
    values = np.random.default_rng(2).uniform(0, 0.9, (4, 80))
    values[:, ::3] = np.round(3 * values[:, ::3])
    recipe = Recipe((column,), (), 0.9)
    whole, _ = recipe.planes({"x": values})
    part, _ = recipe.planes({"x": values[:, :70]})
    for long, short in zip(whole, part, strict=True):
        np.testing.assert_allclose(long[:, :70], short, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("column", KINDS, ids=lambda column: column.kind.value)
def test_unknown_cells_have_no_effect(column: Column) -> None:
    planes, _ = Recipe((column,), (), 0.9).planes({"x": np.full((2, 5), np.nan)})
    assert len(planes) == len(Recipe((column,), (), 0.9).labels())
    assert all((plane == 0).all() for plane in planes)


def test_products_are_made_where_both_are_at_work_together() -> None:
    random = np.random.default_rng(3)
    a, b = (random.random((2, 50, 60)) < 0.2) * 1.0
    apart = a * (1 - b)
    columns = [Column("a", Kind.FLAG), Column("b", Kind.FLAG)]
    assert terms.recipe(columns, {"a": a, "b": b}, 0.9).products == ((0, 1),)
    assert terms.recipe(columns, {"a": apart, "b": b}, 0.9).products == ()
