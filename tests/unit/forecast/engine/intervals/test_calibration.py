import numpy as np
import pytest

from services.forecast.engine.held import Held
from services.forecast.engine.intervals import calibrate
from services.forecast.engine.intervals.ends import HAIR_UNITS
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period
from tests.unit.forecast.engine.intervals.support import (
    LEVELS,
    START,
    counts,
    helds_of,
    inside,
    panel_of,
    pinball,
)

ORIGINS = (60, 66, 72)
PAST, AHEAD = 78, 6


def _split(units: np.ndarray, mean: np.ndarray) -> tuple[Panel, list[Held], np.ndarray, np.ndarray]:
    """Panel, past origins, the mean of the future and what happens in it."""
    panel = panel_of(units[:, :PAST], AHEAD)
    return panel, helds_of(panel, ORIGINS, mean), mean[:, PAST:], units[:, PAST:]


def _amounts(seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Amounts with a spread of each series' own, and heavy tails."""
    rng = np.random.default_rng(seed)
    mean = np.repeat(rng.lognormal(5, 2, (400, 1)), PAST + AHEAD, axis=1)
    share = rng.choice([0.02, 0.1, 0.3], (400, 1))
    return np.maximum(mean * (1 + share * rng.standard_t(4, mean.shape)), 0.0), mean


@pytest.mark.parametrize("mean", [(0.02, 0.5), (0.5, 10.0), (5.0, 2000.0)])
def test_coverage_of_counts_is_nominal(mean: tuple[float, float]) -> None:
    panel, helds, future, actual = _split(*counts(900, PAST + AHEAD, mean, 2.0))
    low, _, high = calibrate(panel, helds).quantiles(panel, future, LEVELS)
    assert inside(actual, low, high) == pytest.approx(0.8, abs=0.025)


def test_coverage_of_amounts_is_nominal_whatever_the_unit() -> None:
    for unit in (1.0, 1e-4):
        panel, helds, future, actual = _split(*(unit * each for each in _amounts()))
        low, _, high = calibrate(panel, helds).quantiles(panel, future, LEVELS)
        assert inside(actual, low, high) == pytest.approx(0.8, abs=0.025)
        assert (actual < low).mean() == pytest.approx(0.1, abs=0.02)


def test_quantiles_scale_with_the_unit() -> None:
    units, mean = _amounts()
    panel, helds, future, _ = _split(units, mean)
    found = calibrate(panel, helds).quantiles(panel, future, LEVELS)
    panel, helds, future, _ = _split(1000 * units, 1000 * mean)
    scaled = calibrate(panel, helds).quantiles(panel, future, LEVELS)
    np.testing.assert_allclose(scaled, 1000 * found, rtol=1e-4)


def test_a_noisy_series_gets_wider_intervals_than_a_calm_one_of_its_size() -> None:
    rng = np.random.default_rng(8)
    share = np.repeat([0.02, 0.4], 200)[:, np.newaxis]
    mean = np.full((400, PAST + AHEAD), 500.0)
    units = np.maximum(mean * (1 + share * rng.standard_normal(mean.shape)), 0.0)
    panel, helds, future, _ = _split(units, mean)
    low, _, high = calibrate(panel, helds).quantiles(panel, future, LEVELS)
    width = (high - low).mean(axis=1)
    assert width[200:].mean() > 10 * width[:200].mean()


def test_errors_that_grow_with_the_step_widen_the_intervals() -> None:
    rng = np.random.default_rng(9)
    steps = np.cumsum(rng.normal(0, 5, (500, PAST + AHEAD)), axis=1)
    panel = panel_of(np.maximum(1000 + steps, 0.0)[:, :PAST], AHEAD)
    last = [np.repeat(panel.units[:, [at - 1]], AHEAD, axis=1) for at in (*ORIGINS, PAST)]
    helds = [
        Held(at, mean, panel.units[:, at : at + AHEAD])
        for at, mean in zip(ORIGINS, last[:-1], strict=True)
    ]
    low, _, high = calibrate(panel, helds).quantiles(panel, last[-1], LEVELS)
    width = (high - low).mean(axis=0)
    assert width[5] / width[0] == pytest.approx(np.sqrt(6), rel=0.2)


def test_a_promotion_that_scatters_widens_its_own_periods_only() -> None:
    rng = np.random.default_rng(10)
    promoted = rng.random((500, PAST + AHEAD)) < 0.2
    mean = np.full(promoted.shape, 100.0)
    spread = np.where(promoted, 40.0, 5.0)
    units = np.maximum(mean + spread * rng.standard_normal(mean.shape), 0.0)
    bare, _, future, actual = _split(units, mean)
    panel = Panel(bare.period, bare.dates, bare.units, {"leaflet": promoted.astype(float)})
    helds = helds_of(panel, ORIGINS, mean)
    low, _, high = calibrate(panel, helds).quantiles(panel, future, LEVELS)
    for part in (promoted[:, PAST:], ~promoted[:, PAST:]):
        assert inside(actual[part], low[part], high[part]) == pytest.approx(0.8, abs=0.06)


def test_quantiles_cost_less_than_gaussian_ones_of_each_series() -> None:
    units, mean = counts(600, PAST + AHEAD, (0.1, 20.0), 1.5)
    panel, helds, future, actual = _split(units, mean)
    found = calibrate(panel, helds).quantiles(panel, future, LEVELS)
    errors = np.concatenate([held.actual - held.mean for held in helds], axis=1)
    deviation = errors.std(axis=1, keepdims=True)
    for row, (level, score) in enumerate(zip(LEVELS, (-1.2816, 0.0, 1.2816), strict=True)):
        gaussian = np.maximum(future + score * deviation, 0.0)
        assert pinball(actual, found[row], level) < pinball(actual, gaussian, level)


def test_any_level_ascends_from_none_to_all() -> None:
    panel, helds, future, _ = _split(*counts(200, PAST + AHEAD, (0.05, 300.0), 1.0))
    levels = [0.001, 0.01, 0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 0.95, 0.99, 0.999]
    found = calibrate(panel, helds).quantiles(panel, future, levels)
    assert (np.diff(found, axis=0) >= 0).all()
    assert np.isfinite(found).all()
    assert (found[-1] > found[5]).all()


def test_a_quantile_does_not_depend_on_what_else_is_asked_for() -> None:
    panel, helds, future, _ = _split(*counts(200, PAST + AHEAD, (0.05, 300.0), 1.0))
    learned = calibrate(panel, helds)
    several = learned.quantiles(panel, future, [0.02, 0.1, 0.5, 0.9])
    np.testing.assert_array_equal(learned.quantiles(panel, future, [0.02, 0.1])[1], several[1])
    alone = [learned.quantiles(panel, future, [level])[0] for level in (0.1, 0.5, 0.9)]
    np.testing.assert_allclose(alone, several[1:], atol=1.001 * HAIR_UNITS)


def test_whole_quantiles_of_counts_are_whole() -> None:
    panel, helds, future, _ = _split(*counts(200, PAST + AHEAD, (0.05, 300.0), 1.0))
    found = calibrate(panel, helds).whole(panel, future, LEVELS)
    np.testing.assert_array_equal(found, np.round(found))


def test_nothing_is_expected_where_nothing_can_sell() -> None:
    panel, helds, future, _ = _split(*counts(200, PAST + AHEAD, (0.5, 30.0), 1.0))
    future[:, 2] = 0.0
    found = calibrate(panel, helds).quantiles(panel, future, LEVELS)
    assert (found[:, :, 2] == 0).all()
    assert (found[2, :, 3] > 0).all()


def test_some_series_get_the_quantiles_that_they_get_among_all() -> None:
    units, mean = counts(100, PAST + AHEAD, (0.5, 30.0), 1.0)
    panel, helds, future, _ = _split(units, mean)
    learned = calibrate(panel, helds)
    rows = slice(20, 50)
    part = learned.of(rows).whole(panel.of(np.arange(20, 50)), future[rows], LEVELS)
    np.testing.assert_array_equal(part, learned.whole(panel, future, LEVELS)[:, rows])


@pytest.mark.parametrize("period", list(Period))
@pytest.mark.parametrize("periods", [1, 2, 3, 10])
def test_any_panel_has_quantiles(period: Period, periods: int) -> None:
    rng = np.random.default_rng(11)
    everything = rng.poisson(3.0, (5, periods)).astype(float)
    empty = np.full((3, periods), np.nan)
    for units in (everything, everything[:1], 0 * everything, empty, everything + 0.25):
        panel = Panel(period, period.dates(START, periods + 4), units)
        mean = np.repeat(np.nan_to_num(units[:, -1:]), 4, axis=1)
        for helds in ([], _last(panel)):
            found = calibrate(panel, helds).quantiles(panel, mean, LEVELS)
            assert found.shape == (3, *mean.shape)
            assert np.isfinite(found).all()
            assert (found >= 0).all()
            assert (np.diff(found, axis=0) >= 0).all()


def _last(panel: Panel) -> list[Held]:
    """One origin, beside which less than a horizon is known."""
    origin = panel.periods - 1
    if origin < 1:
        return []
    return [Held(origin, np.ones((panel.series, 1)), panel.units[:, origin:])]


def test_short_panels_have_intervals_of_a_sensible_width() -> None:
    """Eight columns, nothing held back: one-step errors of the past speak."""
    units, mean = counts(300, 12, (1.0, 50.0), 3.0)
    panel = panel_of(units[:, :8], 4)
    low, _, high = calibrate(panel, []).quantiles(panel, mean[:, 8:], LEVELS)
    assert 0.7 < inside(units[:, 8:], low, high) < 0.9


def test_two_calibrations_agree_bit_by_bit() -> None:
    panel, helds, future, _ = _split(*counts(200, PAST + AHEAD, (0.5, 30.0), 1.0))
    first, second = (calibrate(panel, helds).quantiles(panel, future, LEVELS) for _ in range(2))
    np.testing.assert_array_equal(first, second)
