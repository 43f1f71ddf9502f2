"""One series under another plan, from what was kept."""

import io

import numpy as np
import pytest

from services.forecast.engine.promo import (
    NAMES,
    PromoFit,
    PromoState,
    PromoTier,
    components,
    from_arrays,
    state_of,
)
from tests.unit.forecast.engine.promo.support import ELASTICITY, FLAG_EFFECT, planted
from tests.unit.forecast.engine.support import panel, poisson

AHEAD = 8
NONE = np.zeros(AHEAD)


@pytest.fixture(scope="module")
def fit() -> PromoFit:
    return PromoTier().fits(planted().panel, [100], AHEAD)[0]


@pytest.fixture(scope="module")
def state(fit: PromoFit) -> PromoState:
    return state_of(fit)


def test_the_plan_itself_gives_the_forecast_itself(fit: PromoFit, state: PromoState) -> None:
    for row, mean in enumerate(fit.mean):
        np.testing.assert_allclose(state.means(row, {}), mean, rtol=1e-5)


def test_a_promotion_lifts_as_much_as_was_planted(state: PromoState) -> None:
    with_it = np.mean([state.means(row, {"leaflet": NONE + 1}) for row in range(60)])
    without = np.mean([state.means(row, {"leaflet": NONE}) for row in range(60)])
    assert np.log(with_it / without) == pytest.approx(FLAG_EFFECT, abs=0.15)


def test_a_price_cut_lifts_as_much_as_was_planted(state: PromoState) -> None:
    regular = state.planned[0, state.columns.index("regular")]
    cut = state.means(0, {"shelf": 0.8 * regular, "leaflet": NONE})
    full = state.means(0, {"shelf": regular, "leaflet": NONE})
    effect = np.log(cut / full).mean() / np.log(0.8)
    assert effect == pytest.approx(ELASTICITY, abs=0.4)


def test_columns_that_the_model_does_not_use_change_nothing(state: PromoState) -> None:
    np.testing.assert_array_equal(state.means(1, {"weather": NONE}), state.means(1, {}))


def test_a_plan_of_another_length_is_refused(state: PromoState) -> None:
    with pytest.raises(ValueError, match="leaflet: 8 values are needed"):
        state.means(0, {"leaflet": np.zeros(3)})


def test_a_state_is_the_same_after_storage(state: PromoState) -> None:
    file = io.BytesIO()
    np.savez(file, **state.arrays())  # type: ignore[arg-type] # Its stub takes no mapping.
    file.seek(0)
    again = from_arrays(dict(np.load(file, allow_pickle=False)))
    np.testing.assert_array_equal(
        again.means(5, {"leaflet": NONE + 1}), state.means(5, {"leaflet": NONE + 1})
    )


def test_a_few_series_of_a_state_are_a_state(state: PromoState) -> None:
    rows = np.array([9, 4])
    np.testing.assert_array_equal(state.of(rows).means(1, {}), state.means(4, {}))


def test_components_add_up_to_the_forecast(state: PromoState) -> None:
    parts = state.components(2)
    assert tuple(sorted(parts)) == tuple(sorted(NAMES))
    np.testing.assert_allclose(sum(parts.values()), state.means(2, {}), rtol=1e-5)


def test_components_of_a_state_are_those_of_the_fit(fit: PromoFit, state: PromoState) -> None:
    whole = components(fit)
    for name, values in state.components(7).items():
        np.testing.assert_allclose(values, whole[name][7], rtol=1e-3, atol=1e-3)


def test_without_known_columns_a_state_still_forecasts() -> None:
    without = panel(poisson(5, 120), AHEAD)
    blind = PromoTier().fits(without, [120], AHEAD)[0]
    state = state_of(blind)
    np.testing.assert_allclose(state.means(2, {}), blind.mean[2], rtol=1e-5)
