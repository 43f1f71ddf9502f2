"""The simple tier is not asked of thousands of series where it would count for nothing."""

import numpy as np
import pytest

from services.forecast.engine import tiers
from services.forecast.engine.boosted import Luck
from services.forecast.engine.effort import Effort
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period

SERIES, WEEKS, AHEAD = 2 * tiers.JUDGES + 1, 48, 4
ORIGINS = (WEEKS - 2 * AHEAD, WEEKS - AHEAD, WEEKS)


def panel(uplift: float, series: int = SERIES) -> Panel:
    random = np.random.default_rng(2)
    offer = (random.random((series, WEEKS + AHEAD)) < 0.25).astype(float)
    units = random.poisson(8.0 * uplift ** offer[:, :WEEKS]).astype(float)
    dates = Period.WEEK.dates(np.datetime64("2025-01-05"), WEEKS + AHEAD)
    return Panel(Period.WEEK, dates, units, known={"offer": offer})


@pytest.mark.parametrize(
    ("uplift", "effort", "series", "run"),
    [
        (4.0, Effort.LIGHT, SERIES, ["promo"]),
        (1.0, Effort.LIGHT, SERIES, ["plain", "promo"]),
        (4.0, Effort.LIGHT, 50, ["plain", "promo"]),
    ],
)
def test_what_is_run(uplift: float, effort: Effort, series: int, run: list[str]) -> None:
    found = tiers.run(panel(uplift, series), ORIGINS, effort, Luck(0, 1))
    assert list(found.means) == run
    assert all(mean.shape == (series, AHEAD) for means in found.means.values() for mean in means)
