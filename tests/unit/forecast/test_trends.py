import numpy as np
import pytest

from services.forecast.features import fit_calendar
from services.forecast.trends import Trends, _f_quantile, find_trends
from tests.unit.forecast.support import panel, poisson


def trends_of(units: np.ndarray, products: list[int] | None = None) -> Trends:
    history = panel(units)
    numbered = np.arange(units.shape[1]) if products is None else np.array(products)
    return find_trends(history, numbered, fit_calendar(history))


def test_a_product_that_doubles_ranks_above_those_that_do_not() -> None:
    units = poisson(np.full(20, 5.0), days=112)
    units[-28:, 7] *= 2
    found = trends_of(units)
    assert found.product[0] == 7
    assert found.growth[0] == pytest.approx(2.0, rel=0.2)
    assert found.growth_p10[0] > 1.4


def test_what_grows_with_everything_else_does_not_trend() -> None:
    units = poisson(np.full(20, 20.0), days=112)
    units[-28:] *= 3
    found = trends_of(units)
    assert found.growth == pytest.approx(np.ones(20), abs=0.2)


def test_a_known_season_is_no_trend_even_for_a_single_product() -> None:
    days = np.arange(3 * 365)
    season = 1 + 0.8 * np.sin(2 * np.pi * days / 365)
    cut = 2 * 365 + 60
    units = (50 * season)[:cut, np.newaxis]
    assert units[-28:].sum() > 1.2 * units[-56:-28].sum()
    assert trends_of(units).growth[0] == pytest.approx(1.0, abs=0.15)


def test_where_the_season_is_known_growth_of_everything_is_growth() -> None:
    units = poisson(np.full(5, 20.0), days=2 * 365)
    units[-28:] *= 2
    growth = trends_of(units).growth
    assert growth.min() > 1.3
    # Of the same sales without the years before, nobody could tell.
    assert trends_of(units[-300:]).growth == pytest.approx(np.ones(5), abs=0.2)


def test_six_lucky_units_rank_below_solid_growth() -> None:
    units = poisson(np.full(20, 8.0), days=112)
    units[-28:, 1] = np.rint(units[-28:, 1] * 1.6)
    units[:, 2] = 0
    units[-6:, 2] = 1  # Infinite growth, of six units.
    found = trends_of(units)
    assert found.product[0] == 1
    rank = found.product.tolist().index(2)
    assert found.growth_p10[rank] < found.growth_p10[0]


def test_one_bulk_order_is_no_trend() -> None:
    units = poisson(np.full(20, 8.0), days=112)
    units[-28:, 1] = np.rint(units[-28:, 1] * 1.5)
    units[-3, 2] += 400
    found = trends_of(units)
    assert found.product[0] == 1


def test_a_product_is_the_sum_of_its_series() -> None:
    units = np.ones((56, 4))
    found = trends_of(units, [0, 1, 0, 1])
    assert sorted(found.product.tolist()) == [0, 1]
    assert found.recent_units.tolist() == [56, 56]
    assert found.previous_units.tolist() == [56, 56]


def test_products_without_sales_in_either_window_are_left_out() -> None:
    units = poisson(np.full(3, 5.0), days=112)
    units[-56:, 1] = 0
    assert sorted(trends_of(units).product.tolist()) == [0, 2]


def test_five_weeks_are_compared_with_the_one_before_the_last_four() -> None:
    units = poisson(np.full(5, 9.0), days=35)
    assert trends_of(units).growth == pytest.approx(np.ones(5), abs=0.5)
    assert trends_of(units[:34]).product.size == 0


@pytest.mark.parametrize(("upper", "lower"), [(8.0, 8.0), (8.0, 200.0), (60.0, 20.0)])
def test_the_lower_bound_is_the_quantile_of_a_ratio_of_gammas(upper: float, lower: float) -> None:
    random = np.random.default_rng(4)
    drawn = random.gamma(upper / 2, 2 / upper, 400_000) / random.gamma(
        lower / 2, 2 / lower, 400_000
    )
    found = _f_quantile(np.array([upper]), np.array([lower]), 0.1)
    assert found[0] == pytest.approx(np.quantile(drawn, 0.1), rel=0.01)
