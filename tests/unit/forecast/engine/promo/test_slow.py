"""What a promotion does to slow sellers, in their forecasts."""

from dataclasses import replace

import numpy as np
import pytest

from services.forecast.engine.arrays import Floats
from services.forecast.engine.effort import Effort
from services.forecast.engine.forecast import Forecast, Settings, forecast
from services.forecast.engine.panel import Panel
from services.forecast.engine.plain import PlainTier
from services.forecast.engine.promo import PromoTier
from tests.unit.forecast.engine.promo.test_counted import AHEAD, DAYS, ELASTICITY, promoted
from tests.unit.forecast.engine.promo.test_counted import slow as slow_sellers

OFF = 0.4
UPLIFT = (1 - OFF) ** ELASTICITY
HALF = AHEAD // 2


def half_promoted() -> Panel:
    """A tenth of a unit a day; the first half of the horizon is promoted."""
    panel = slow_sellers(0.1)
    known = {name: values.copy() for name, values in panel.known.items()}
    for name, values in promoted(OFF).items():
        known[name][:, DAYS : DAYS + HALF] = values[:HALF]
    for name, values in promoted(0.0).items():
        known[name][:, DAYS + HALF :] = values[HALF:]
    return replace(panel, known=known)


@pytest.fixture(scope="module")
def made() -> Forecast:
    return forecast(half_promoted(), Settings(Effort.LIGHT))


def uplift(mean: Floats) -> float:
    """Of units, from the second half of the horizon to the first: the same days of the week."""
    return float(mean[:, :HALF].sum() / mean[:, HALF:].sum())


def test_a_promotion_does_to_a_forecast_what_it_does_to_demand(made: Forecast) -> None:
    assert uplift(made.mean) == pytest.approx(UPLIFT, rel=0.2)


def test_every_tier_knows_the_plan(made: Forecast) -> None:
    assert set(made.tiers) == {"plain", "promo"}
    for name, mean in made.tiers.items():
        assert uplift(mean) == pytest.approx(UPLIFT, rel=0.2), name


def test_held_back_forecasts_know_their_plans_too(made: Forecast) -> None:
    """What intervals are calibrated on is what is served."""
    off = made.panel.known["discount_sale"]
    means, plans = [], []
    for held in made.held:
        stop = held.origin + held.mean.shape[1]
        means.append(held.mean)
        plans.append(off[:, held.origin : stop] >= OFF)
    mean, plan = np.concatenate(means, axis=1), np.concatenate(plans, axis=1)
    assert plan.sum() > 100
    assert mean[plan].mean() > 1.7 * mean[~plan].mean()


def test_without_known_columns_the_simple_tier_is_left_as_it_is() -> None:
    panel = replace(slow_sellers(0.1), known={}).of(np.arange(12))
    simple = PlainTier().run(panel, [DAYS], AHEAD)[0]
    assert np.array_equal(forecast(panel, Settings(Effort.LIGHT)).tiers["plain"], simple)


def test_counts_count_less_the_faster_a_series_sells() -> None:
    shares = [
        float(PromoTier().fits(slow_sellers(rate), [DAYS], AHEAD)[0].counted.share.mean())
        for rate in (0.1, 5.0, 40.0)
    ]
    assert shares[0] > 0.9
    assert shares[1] == pytest.approx(0.45, abs=0.1)  # Promotions make it more than five a day.
    assert shares[2] < 0.15


def test_origins_that_follow_soon_share_what_was_learnt_but_the_last_learns_anew() -> None:
    fits = PromoTier().fits(slow_sellers(0.5), [90, 180, 300, 340, DAYS], AHEAD)
    first, soon, later, again, last = (fit.counted.coefficients for fit in fits)
    assert np.array_equal(first, soon)
    assert not np.array_equal(first, later)
    assert np.array_equal(later, again)
    assert not np.array_equal(later, last)
