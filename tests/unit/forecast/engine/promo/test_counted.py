"""What a plan does to units, learnt where most days sell nothing."""

import numpy as np
import pytest

from services.forecast.engine.arrays import Floats
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period
from services.forecast.engine.promo import PromoState, PromoTier, counted, from_arrays, state_of
from tests.unit.forecast.engine.support import FIRST

ELASTICITY = -1.9
STYLES, EACH, DAYS, AHEAD = 15, 12, 364, 14
DEPTHS = (0.2, 0.3, 0.4, 0.5)
REGULAR = 10.0


def slow(rate: float = 0.1, *, fading: float = 0.0, depths: tuple[float, ...] = DEPTHS) -> Panel:
    """Sizes of styles that sell ``rate`` units a day; each style is promoted as one.

    With ``fading``, each style ends with a markdown, while demand falls by that share a day.
    """
    random = np.random.default_rng(11)
    length = DAYS + AHEAD
    style = np.arange(STYLES * EACH) // EACH
    off = np.zeros((STYLES, length))
    life = np.ones((STYLES, length))
    for number in range(STYLES):
        for start in random.integers(20, DAYS - 20, 3):
            off[number, start : start + 10] = random.choice(depths)
        if fading:
            end = int(random.integers(200, DAYS))
            off[number, end - 30 : end] = 0.4
            life[number, end - 90 : end] = (1 - fading) ** np.arange(90)
            life[number, end:] = np.nan
    off, life = off[style], life[style]
    expected = rate * life * np.exp(ELASTICITY * np.log1p(-off))
    units = random.poisson(np.nan_to_num(expected[:, :DAYS])).astype(np.float64)
    units[np.isnan(expected[:, :DAYS])] = np.nan
    known = {
        "promotion_sale": (off > 0).astype(np.float64),
        "discount_sale": off,
        "price": REGULAR * (1 - off),
        "regular_price": np.full(off.shape, REGULAR),
    }
    dates = Period.DAY.dates(FIRST, length)
    return Panel(Period.DAY, dates, units, known, {"style": style, "size": np.arange(style.size)})


def state(panel: Panel) -> PromoState:
    return state_of(PromoTier().fits(panel, [DAYS], AHEAD)[0])


@pytest.fixture(scope="module")
def usual() -> PromoState:
    return state(slow())


def promoted(off: float) -> dict[str, Floats]:
    full = np.ones(AHEAD)
    return {
        "promotion_sale": full * (off > 0),
        "discount_sale": full * off,
        "price": full * REGULAR * (1 - off),
    }


def multiplier(found: PromoState, off: float) -> float:
    """The median over series, of a promotion against none."""
    return float(
        np.median(
            [
                found.ratio(row, promoted(off))[0] / found.ratio(row, promoted(0.0))[0]
                for row in range(0, STYLES * EACH, 7)
            ]
        )
    )


@pytest.mark.parametrize("off", [0.2, 0.4])
def test_one_unit_in_ten_days_is_enough_to_learn_from(usual: PromoState, off: float) -> None:
    assert multiplier(usual, off) == pytest.approx((1 - off) ** ELASTICITY, rel=0.12)


def test_a_markdown_is_not_blamed_for_the_fading_that_it_comes_with() -> None:
    found = multiplier(state(slow(0.3, fading=0.02)), 0.4)
    assert found == pytest.approx(0.6**ELASTICITY, rel=0.15)


def test_a_price_alone_does_what_it_does_in_a_promotion(usual: PromoState) -> None:
    low = np.full(AHEAD, 0.7 * REGULAR)
    alone = usual.ratio(3, {"price": low}) / usual.ratio(3, {"price": low / 0.7})
    assert alone[0] == pytest.approx(0.7**ELASTICITY, rel=0.2)


def test_prices_that_were_never_seen_lie_between_and_beyond_those_that_were() -> None:
    found = state(slow(1.0, depths=(0.2,)))
    prices = (11.0, 10.0, 9.0, 8.0, 7.0)
    told = [found.ratio(0, {"price": np.full(AHEAD, price)})[0] for price in prices]
    assert (np.diff(told) / told[:-1] > 0.05).all()
    assert told[3] / told[1] == pytest.approx(0.8**ELASTICITY, rel=0.15)


def test_the_present_plan_changes_nothing_at_all(usual: PromoState) -> None:
    assert (usual.ratio(1, {}) == 1.0).all()


def test_groups_that_do_not_fit_into_memory_at_once_answer_as_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    panel = slow(0.5)
    whole = state(panel)
    monkeypatch.setattr(counted, "MOST_CELLS", 40_000)
    parts = state(panel)
    assert multiplier(parts, 0.3) == pytest.approx(multiplier(whole, 0.3), rel=0.2)
    assert multiplier(parts, 0.3) != multiplier(whole, 0.3)


def test_what_never_sold_has_no_answer() -> None:
    panel = slow(0.0)
    fit = PromoTier().fits(panel, [DAYS], AHEAD)[0]
    assert (state_of(fit).ratio(0, promoted(0.3)) == 1.0).all()


def test_a_state_of_an_older_version_answers_as_its_forecast_did() -> None:
    panel = slow()
    fit = PromoTier().fits(panel, [DAYS], AHEAD)[0]
    arrays = state_of(fit).arrays()
    del arrays["moves"]
    terms = len(fit.design.recipe.labels())
    np.testing.assert_array_equal(from_arrays(arrays).moves, fit.coefficients[:, :terms])
