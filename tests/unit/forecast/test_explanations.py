"""What one size of a choice sells beside the others, as a part of its forecast and in words."""

import numpy as np
import pytest

from services.forecast.answers.explanations import explain
from services.forecast.domain.explanations import Explained, Part, sentences
from services.forecast.domain.forecasts import SeriesForecast
from services.forecast.domain.overrides import Served
from services.forecast.engine.promo import PromoState, PromoTier, state_of
from tests.unit.forecast.engine.support import panel

WEEKS, AHEAD = 60, 4
RATES = np.array([[2.0], [6.0], [12.0]])


@pytest.fixture(scope="module")
def sizes() -> list[PromoState]:
    """Three sizes of a choice, one of which is promoted in the second week to come."""
    leaflet = np.zeros((3, WEEKS + AHEAD))
    leaflet[:, ::7] = leaflet[1, WEEKS + 1] = 1.0
    units = np.random.default_rng(2).poisson(RATES * (1 + leaflet[:, :WEEKS]))
    made = state_of(
        PromoTier().fits(panel(units, AHEAD, known={"leaflet": leaflet}), [WEEKS], AHEAD)[0]
    )
    return [made.of(np.array([row])) for row in range(3)]


def served(state: PromoState) -> Served:
    """A forecast which other models moved, and planners after them."""
    system = (state.means(0, {}) + 0.7).tolist()
    mean = [2 * units for units in system]
    forecast = SeriesForecast("berlin", "SKU", "product", sum(mean), mean, mean, mean, mean)
    return Served(forecast, system, ())


def test_parts_add_up_and_size_shares_cancel_out_over_the_choice(sizes: list[PromoState]) -> None:
    found = [explain(size, served(size), sizes) for size in sizes]
    for size, periods in zip(sizes, found, strict=True):
        for period, alone in zip(periods, explain(size, served(size)), strict=True):
            assert sum(period.parts.values()) == pytest.approx(period.mean, rel=1e-12)
            level, share = period.parts[Part.LEVEL], period.parts[Part.SIZE_SHARE]
            assert level + share == pytest.approx(alone.parts[Part.LEVEL], rel=1e-12)
            rest = period.parts.keys() - {Part.LEVEL, Part.SIZE_SHARE}
            assert rest == alone.parts.keys() - {Part.LEVEL}
            for part in rest:
                assert period.parts[part] == pytest.approx(alone.parts[part], abs=1e-9)
    for step in range(AHEAD):
        of_all = [periods[step].parts for periods in found]
        assert len({parts[Part.LEVEL] for parts in of_all}) == 1
        assert sum(parts[Part.SIZE_SHARE] for parts in of_all) == pytest.approx(0, abs=1e-9)
        assert of_all[0][Part.SIZE_SHARE] < -2
        assert of_all[2][Part.SIZE_SHARE] > 2


def test_without_other_sizes_there_is_no_size_share(sizes: list[PromoState]) -> None:
    for period in explain(sizes[0], served(sizes[0])):
        assert Part.SIZE_SHARE not in period.parts


def test_sentences_compare_the_size_with_an_average_one() -> None:
    period = Explained(13.0, {Part.LEVEL: 10.0, Part.TREND: -1.0, Part.SIZE_SHARE: 4.0})
    assert sentences([period, period], "M") == [
        "26.0 units are expected; at the usual rate it would be 28.0.",
        "Size M sells 1.4 times an average size of this choice: +8.0 (+29%).",
        "The trend: -2.0 (-7%).",
    ]
