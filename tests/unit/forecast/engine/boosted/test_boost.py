from dataclasses import replace

import numpy as np
import pytest

from services.forecast.engine.arrays import Floats
from services.forecast.engine.boosted import (
    QUICK,
    RECURSIVE,
    Luck,
    Recipe,
    bench,
    forecasts,
    lattice,
)
from services.forecast.engine.panel import Panel
from tests.unit.forecast.engine.boosted.support import AHEAD, PERIODS, SERIES, promoted, said
from tests.unit.forecast.engine.support import panel, poisson

LUCK = Luck(seed=1, threads=1)
FAST = [replace(recipe, trees=40, rate=0.2) for recipe in (QUICK, RECURSIVE)]


def made(given: Panel, origins: list[int], recipes: list[Recipe]) -> dict[str, list[Floats]]:
    taught = {origin: said(given, origin) for origin in lattice(given, 16)}
    return forecasts(given, taught, [said(given, at) for at in origins], recipes, LUCK)


def test_what_a_promotion_does_is_learned() -> None:
    given, expected = promoted()
    due = expected[:, PERIODS:]
    simple = np.abs(said(given, PERIODS).mean - due).mean()
    for means in made(given, [PERIODS], FAST).values():
        assert np.abs(means[0] - due).mean() < 0.5 * simple


def test_a_forecast_does_not_depend_on_what_came_after_its_origin() -> None:
    given, _ = promoted()
    units = given.units.copy()
    units[:, PERIODS - AHEAD :] *= 7.0
    origins = [PERIODS - 2 * AHEAD, PERIODS - AHEAD, PERIODS]
    before, after = made(given, origins, FAST), made(replace(given, units=units), origins, FAST)
    for name in before:
        assert np.array_equal(before[name][0], after[name][0])
        assert np.array_equal(before[name][1], after[name][1])
        assert not np.array_equal(before[name][2], after[name][2])


def test_a_recursive_model_goes_on_from_what_it_said() -> None:
    random = np.random.default_rng(5)
    columns = PERIODS + AHEAD
    odd = (np.arange(columns) + random.integers(0, 2, (SERIES, 1))) % 2
    expected = random.uniform(20, 60, (SERIES, 1)) * np.where(odd, 1.5, 0.5)
    given = panel(random.poisson(expected[:, :PERIODS]).astype(np.float64), AHEAD)
    due = expected[:, PERIODS:]
    found = made(given, [PERIODS], [replace(FAST[1], trees=100)])[RECURSIVE.name][0]
    assert np.all(np.abs(found - due).sum(axis=0) < 0.15 * due.sum(axis=0))


def test_the_past_of_a_recursive_model_does_not_change_with_what_comes_later() -> None:
    given, _ = promoted()
    later = given.units.copy()
    later[:, -AHEAD:] += 50.0
    origins = [PERIODS - AHEAD, PERIODS]
    before = made(given, origins, FAST[1:2])[RECURSIVE.name][0]
    after = made(replace(given, units=later), origins, FAST[1:2])[RECURSIVE.name][0]
    assert np.array_equal(before, after)


def test_growth_does_not_run_away_from_step_to_step() -> None:
    ahead = 40
    columns = PERIODS + ahead
    starts = np.random.default_rng(6).integers(10, 90, (SERIES, 1))
    ramps = 50.0 / (1.0 + np.exp(-(np.arange(columns) - starts - 20.0) / 4.0))
    given = panel(np.random.default_rng(7).poisson(ramps[:, :PERIODS]).astype(np.float64), ahead)
    found = made(given, [PERIODS], FAST[1:2])[RECURSIVE.name][0]
    assert np.all(found <= 3.0 * said(given, PERIODS).mean)
    assert (found > 1.5 * said(given, PERIODS).mean).any()


def test_blocks_of_series_give_the_same_forecasts(monkeypatch: pytest.MonkeyPatch) -> None:
    given, _ = promoted()
    at_once = made(given, [PERIODS], FAST)
    monkeypatch.setattr(bench, "BLOCK_CELLS", 40 * given.dates.size)
    in_parts = made(given, [PERIODS], FAST)
    for name, means in at_once.items():
        assert in_parts[name][0] == pytest.approx(means[0], rel=1e-6)


def test_a_past_as_long_as_a_window_is_described_like_others() -> None:
    given, _ = promoted()
    means = made(given, [46, 52, PERIODS], FAST[1:2])["recursive"]
    assert all(np.isfinite(mean).all() for mean in means)


def test_too_little_to_learn_from_leaves_the_models_out() -> None:
    assert made(panel(poisson(5, 30), AHEAD), [30], FAST) == {}


def test_series_that_have_hardly_begun_keep_the_simple_forecast() -> None:
    given, _ = promoted()
    units = given.units.copy()
    units[0, : PERIODS - 1] = np.nan
    units[1] = 0.0
    young = replace(given, units=units)
    for means in made(young, [PERIODS], FAST).values():
        assert np.array_equal(means[0][:2], said(young, PERIODS).mean[:2])
        assert not np.array_equal(means[0][2:], said(young, PERIODS).mean[2:])


def test_days_off_the_shelf_do_not_lower_a_forecast() -> None:
    given, expected = promoted()
    away = np.random.default_rng(0).random(given.units.shape) < 0.3
    units = np.where(away, 0.0, given.units)
    hidden = replace(given, units=units, exposure=np.where(away, 0.0, 1.0))
    due = expected[:, PERIODS:].sum()
    for means in made(hidden, [PERIODS], FAST).values():
        assert means[0].sum() == pytest.approx(due, rel=0.1)


def test_the_lattice_lies_in_the_later_past() -> None:
    grid = lattice(panel(poisson(3, 60), ahead=8), most=16)
    assert grid == list(range(20, 57, 4))
    assert lattice(panel(poisson(3, 60), ahead=8), most=3) == [48, 52, 56]
    assert lattice(panel(poisson(3, 2), ahead=8), most=3) == []
