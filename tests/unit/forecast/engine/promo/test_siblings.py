"""Promotions that a whole style has together are the series' own, whoever shares them."""

from collections.abc import Sequence

import numpy as np
import pytest

from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period
from services.forecast.engine.promo import PromoFit, PromoTier, state_of

STYLES, EACH, WEEKS, AHEAD = 12, 6, 80, 4
UPLIFT = 2.5


def fitted(*, together: bool) -> PromoFit:
    """Series of twelve styles, promoted as a style or each for itself."""
    random = np.random.default_rng(4)
    style = np.arange(STYLES * EACH) // EACH
    who = style if together else np.arange(style.size)
    promoted = (random.random((who.max() + 1, WEEKS + AHEAD)) < 0.15)[who].astype(float)
    promoted[:, WEEKS:] = 1.0
    units = random.poisson(12.0 * UPLIFT ** promoted[:, :WEEKS]).astype(float)
    dates = Period.WEEK.dates(np.datetime64("2024-01-07"), WEEKS + AHEAD)
    panel = Panel(
        Period.WEEK, dates, units, known={"offer": promoted}, static={"style": style, "own": who}
    )
    return PromoTier().fits(panel, [WEEKS], AHEAD)[0]


def ratios(fit: PromoFit, rows: Sequence[int]) -> np.ndarray:
    state = state_of(fit)
    none = {"offer": np.zeros(AHEAD)}
    return np.array([state.means(row, {}).sum() / state.means(row, none).sum() for row in rows])


@pytest.mark.parametrize("together", [True, False])
def test_ending_the_promotion_takes_its_effect_away(together: bool) -> None:  # noqa: FBT001
    found = ratios(fitted(together=together), range(0, STYLES * EACH, 5))
    assert np.median(found) == pytest.approx(UPLIFT, rel=0.25)


def test_siblings_are_regressors_only_where_they_can_be_told_apart() -> None:
    assert not [name for name in fitted(together=True).feature_names if "siblings:style" in name]
    assert [name for name in fitted(together=False).feature_names if "siblings:style" in name]
