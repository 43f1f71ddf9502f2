"""What would count for nothing is not run."""

import numpy as np
import pytest

from services.forecast.engine import tiers
from services.forecast.engine.boosted import Luck
from services.forecast.engine.effort import Effort
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period
from services.forecast.engine.segments import segments

SERIES, WEEKS, AHEAD = 2 * tiers.JUDGES + 1, 48, 4
PAST = (WEEKS - 2 * AHEAD, WEEKS - AHEAD)


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
    given = panel(uplift, series)
    found = tiers.run(given, PAST, segments(given), effort, Luck(0, 1))
    assert [*found.past] == [*found.now] == run
    means = [*found.now.values(), *(mean for means in found.past.values() for mean in means)]
    assert all(mean.shape == (series, AHEAD) for mean in means)


def test_a_boosted_model_that_loses_is_not_run_for_what_is_ahead() -> None:
    random = np.random.default_rng(10)
    slopes = 5.0 + np.cumsum(random.normal(0.0, 3.0, (120, 120)), axis=1)
    units = np.maximum(800.0 + np.cumsum(slopes, axis=1), 0.0)
    dates = Period.WEEK.dates(np.datetime64("2025-01-05"), 120 + AHEAD)
    given = Panel(Period.WEEK, dates, units)
    past = (112, 116)
    found = tiers.run(given, past, segments(given), Effort.FULL, Luck(0, 1))
    assert "stacked" in found.past
    assert not found.weights.count("stacked")
    assert "stacked" not in found.now
    mixed = found.mixed(segments(given).codes)
    assert len(mixed) == len(past) + 1
    assert np.isfinite(mixed).all()


def test_without_a_past_origin_boosted_models_do_not_take_part() -> None:
    random = np.random.default_rng(3)
    units = random.poisson(6.0, (500, 60)).astype(float)
    units[:400, :57] = np.nan
    given = Panel(Period.WEEK, Period.WEEK.dates(np.datetime64("2025-01-05"), 60 + AHEAD), units)
    found = tiers.run(given, (), segments(given), Effort.FULL, Luck(0, 1))
    assert list(found.now) == ["plain", "promo"]
    assert found.weights.shares == pytest.approx(0.5)
    assert len(found.mixed(segments(given).codes)) == 1
