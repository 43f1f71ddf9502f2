import numpy as np
import pytest

from services.forecast.engine import paths
from services.forecast.engine.arrays import Floats
from services.forecast.engine.held import Held
from services.forecast.engine.intervals import Calibration, calibrate
from services.forecast.engine.panel import Panel
from services.forecast.engine.paths import Simulation, dependence
from services.forecast.engine.period import Period
from tests.unit.forecast.engine.intervals.support import LEVELS, START, helds_of, inside

PAST, AHEAD, SERIES, GROUPS = 80, 8, 600, 20
ORIGINS = (56, 64, 72)
STORE = np.arange(SERIES, dtype=np.int64) % GROUPS


def _scores(rng: np.random.Generator, over_time: float, common: float) -> Floats:
    """Normal errors: blocks of AHEAD periods that share a level, and stores that share some."""
    blocks = (PAST + AHEAD) // AHEAD
    shape = (blocks, AHEAD)

    def drawn(count: int) -> Floats:
        level = rng.standard_normal((count, blocks, 1))
        own = rng.standard_normal((count, *shape))
        mixed: Floats = np.sqrt(over_time) * level + np.sqrt(1 - over_time) * own
        return mixed.reshape(count, -1)

    scores: Floats = np.sqrt(common) * drawn(GROUPS)[STORE] + np.sqrt(1 - common) * drawn(SERIES)
    return scores


def _world(
    over_time: float, common: float, seed: int = 1
) -> tuple[Panel, list[Held], Floats, Floats]:
    """Panel, past origins, the mean of the future and what happens in it."""
    rng = np.random.default_rng(seed)
    mean = np.repeat(rng.uniform(50, 500, (SERIES, 1)), PAST + AHEAD, axis=1)
    units = np.maximum(mean * (1 + 0.2 * _scores(rng, over_time, common)), 0.0)
    dates = Period.WEEK.dates(START, PAST + AHEAD)
    panel = Panel(Period.WEEK, dates, units[:, :PAST], static={"store": STORE})
    return panel, helds_of(panel, ORIGINS, mean), mean[:, PAST:], units[:, PAST:]


def _simulated(
    panel: Panel, helds: list[Held], mean: Floats, draws: int = 400, seed: int = 0
) -> tuple[Simulation, Calibration]:
    learned = calibrate(panel, helds)
    hangs = dependence(panel, helds, learned)
    return Simulation(panel, mean, learned, hangs, draws, seed), learned


@pytest.mark.parametrize("over_time", [0.0, 0.5, 0.9])
def test_totals_have_nominal_coverage_however_errors_last(over_time: float) -> None:
    panel, helds, mean, actual = _world(over_time, 0.0)
    simulated, _ = _simulated(panel, helds, mean)
    low, _, high = simulated.totals(LEVELS)
    assert inside(actual.sum(axis=1), low, high) == pytest.approx(0.8, abs=0.05)


def test_added_quantiles_are_too_wide_for_a_total() -> None:
    panel, helds, mean, actual = _world(0.1, 0.0)
    simulated, learned = _simulated(panel, helds, mean)
    added = learned.quantiles(panel, mean, LEVELS).sum(axis=2)
    low, _, high = simulated.totals(LEVELS)
    assert inside(actual.sum(axis=1), added[0], added[2]) > 0.95
    assert (high - low).mean() < 0.7 * (added[2] - added[0]).mean()


def test_each_period_of_the_paths_has_its_calibrated_quantiles() -> None:
    panel, helds, mean, _ = _world(0.5, 0.2)
    simulated, learned = _simulated(panel, helds, mean, draws=2000)
    rows, drawn = next(simulated.chunks())
    found = np.quantile(drawn, LEVELS, axis=0)
    expected = learned.of(rows).quantiles(panel.of(np.arange(rows.stop)), mean[rows], LEVELS)
    np.testing.assert_allclose(found.mean(axis=(1, 2)), expected.mean(axis=(1, 2)), rtol=0.01)


def test_what_stores_share_is_found_and_widens_their_sums() -> None:
    panel, helds, mean, actual = _world(0.3, 0.5)
    simulated, _ = _simulated(panel, helds, mean)
    assert simulated.dependence.common["store"] == pytest.approx(0.5, abs=0.15)
    low, _, high = simulated.grouped(STORE, LEVELS)
    sums = np.zeros((GROUPS, AHEAD))
    np.add.at(sums, STORE, actual)
    assert inside(sums, low, high) == pytest.approx(0.8, abs=0.12)
    alone = paths.Dependence(simulated.dependence.over_time, {})
    apart = Simulation(panel, mean, simulated.calibration, alone, 400)
    narrow = apart.grouped(STORE, LEVELS)
    assert (high - low).mean() > 2 * (narrow[2] - narrow[0]).mean()


def test_independent_series_share_next_to_nothing() -> None:
    panel, helds, mean, _ = _world(0.3, 0.0)
    simulated, _ = _simulated(panel, helds, mean, draws=10)
    assert sum(simulated.dependence.common.values()) < 0.02


def test_the_same_seed_gives_the_same_paths_and_another_does_not() -> None:
    panel, helds, mean, _ = _world(0.3, 0.2)
    first, second, other = (_simulated(panel, helds, mean, 20, seed)[0] for seed in (4, 4, 5))
    np.testing.assert_array_equal(first.totals(LEVELS), second.totals(LEVELS))
    assert (first.totals(LEVELS) != other.totals(LEVELS)).any()


def test_memory_is_bounded_and_nothing_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "CHUNK_VALUES", 50_000)
    panel, helds, mean, _ = _world(0.3, 0.2)
    simulated, _ = _simulated(panel, helds, mean, draws=100)
    parts = [(rows, drawn.size) for rows, drawn in simulated.chunks()]
    assert max(size for _, size in parts) <= 50_000
    assert [row for rows, _ in parts for row in range(rows.start, rows.stop)] == [*range(SERIES)]
    everything = simulated.group_paths(np.zeros(SERIES, dtype=np.int64))[:, 0]
    by_store = simulated.group_paths(STORE).sum(axis=1)
    np.testing.assert_allclose(everything, by_store)


def test_paths_of_counts_are_whole() -> None:
    rng = np.random.default_rng(3)
    units = rng.poisson(0.4, (200, PAST)).astype(float)
    panel = Panel(Period.WEEK, Period.WEEK.dates(START, PAST + AHEAD), units)
    mean = np.full((200, PAST + AHEAD), 0.4)
    simulated, _ = _simulated(panel, helds_of(panel, ORIGINS, mean), mean[:, PAST:])
    _, drawn = next(simulated.chunks())
    np.testing.assert_array_equal(drawn, np.round(drawn))
    assert drawn.mean() == pytest.approx(0.4, abs=0.02)


@pytest.mark.parametrize("series", [1, 3])
def test_paths_need_no_past_origin(series: int) -> None:
    panel = Panel(Period.WEEK, Period.WEEK.dates(START, 3), np.full((series, 1), 4.0))
    mean = np.full((series, 2), 4.0)
    simulated, _ = _simulated(panel, [], mean)
    found = simulated.totals(LEVELS)
    assert np.isfinite(found).all()
    assert (np.diff(found, axis=0) >= 0).all()
    first = simulated.totals(LEVELS, periods=1)
    assert (first <= found).all()
