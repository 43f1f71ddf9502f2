"""Promotions that are tried on a stored state."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import numpy as np
import pytest

from services.forecast.answers.explanations import simulate
from services.forecast.domain.explanations import PlanChange
from services.forecast.domain.forecasts import Run, RunRequest, SeriesForecast
from services.forecast.engine.promo import PromoState, PromoTier, state_of
from tests.unit.forecast.engine.promo.test_counted import AHEAD, DAYS, ELASTICITY, slow
from tests.unit.forecast.engine.support import FIRST

CUTOFF = date.fromisoformat(str(FIRST)) + timedelta(days=DAYS - 1)
UNPRICED = 4


@pytest.fixture(scope="module")
def state() -> PromoState:
    """Of series of which one has no price: it never sold where prices are recorded."""
    panel = slow()
    for name in ("price", "regular_price"):
        panel.known[name][UNPRICED] = np.nan
    return state_of(PromoTier().fits(panel, [DAYS], AHEAD)[0])


def tried(state: PromoState, change: PlanChange) -> list[float]:
    return answered(state, change)[0]


def answered(state: PromoState, change: PlanChange) -> tuple[list[float], list[str]]:
    """Means under another plan of a series of which 0.2 units a day are expected; and notes."""
    nobody = UUID(int=0)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    run = Run(nobody, 1, RunRequest(nobody, AHEAD), CUTOFF, 1, "", 0.8, 0.5, now)
    flat = [0.2] * AHEAD
    forecast = SeriesForecast("berlin", "SKU", "product", sum(flat), flat, flat, flat, flat)
    simulated, notes = simulate(state, run, forecast, [change])
    return simulated.mean, notes


def days(first: int, last: int) -> tuple[date, date]:
    return CUTOFF + timedelta(days=first), CUTOFF + timedelta(days=last)


@pytest.mark.parametrize("row", [0, UNPRICED])
def test_a_promotion_sells_more_on_its_days_whether_a_price_is_known(
    state: PromoState, row: int
) -> None:
    change = PlanChange(*days(3, 5), promotion_kind="sale", discount_share=0.4)
    ratios = np.array(tried(state.of(np.array([row])), change)) / 0.2
    np.testing.assert_allclose(ratios[2:5], 0.6**ELASTICITY, rtol=0.2)
    assert (ratios[:2] == 1.0).all()
    assert (ratios[5:] == 1.0).all()


def test_ending_promotions_that_nobody_planned_changes_nothing(state: PromoState) -> None:
    one = state.of(np.array([0]))
    assert tried(one, PlanChange(*days(1, AHEAD))) == [0.2] * AHEAD


def test_of_a_promotion_that_acts_by_its_discount_alone_a_discount_is_asked_for() -> None:
    # Every promotion takes the same off: the price says all that there is to learn.
    one = state_of(PromoTier().fits(slow(depths=(0.3,)), [DAYS], AHEAD)[0]).of(np.array([0]))
    mean, notes = answered(one, PlanChange(*days(3, 5), promotion_kind="sale"))
    assert mean == [0.2] * AHEAD
    (note,) = notes
    assert "of the kind sale" in note
    assert note.endswith("say a discount.")
    discounted = PlanChange(*days(3, 5), promotion_kind="sale", discount_share=0.3)
    for change in (discounted, PlanChange(*days(3, 5))):
        assert not answered(one, change)[1]


@pytest.mark.parametrize(("price", "far"), [(5, 0), (0.6, 1), (0.01, 2), (150, 1), (1000, 2)])
def test_an_answer_that_is_cut_off_says_so(state: PromoState, price: float, far: int) -> None:
    one = state.of(np.array([0]))
    change = PlanChange(*days(3, 5), price_micros=int(price * 1e6))
    notes = answered(one, change)[1]
    assert [note for note in notes if "model's limit" in note or "usual one" in note] == notes
    assert len(notes) == far


def test_what_is_planned_to_be_given_away_tells_no_regular_price() -> None:
    made = slow()
    known = {name: made.known[name] for name in ("promotion_sale", "discount_sale", "price")}
    known["discount_sale"][0, DAYS], known["price"][0, DAYS] = 1.0, 0.01
    panel = replace(made, known=known)
    one = state_of(PromoTier().fits(panel, [DAYS], AHEAD)[0]).of(np.array([0]))
    assert "discount_sale" in one.columns
    assert "regular_price" not in one.columns
    change = PlanChange(*days(3, 5), promotion_kind="sale", discount_share=0.4)
    ratios = np.array(tried(one, change)) / 0.2
    np.testing.assert_allclose(ratios[2:5], 0.6**ELASTICITY, rtol=0.3)
