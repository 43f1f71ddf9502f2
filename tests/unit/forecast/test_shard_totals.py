"""Totals of shards against what adding up by hand, and simulating otherwise, gives."""

import numpy as np
import pytest
from scipy import stats

from services.forecast.engine.effort import Effort
from services.forecast.engine.forecast import Forecast, Settings, forecast
from services.forecast.engine.panel import Panel
from services.forecast.engine.paths import EVERYTHING, Simulation, dependence
from services.forecast.engine.period import Period
from services.forecast.shards.data import Place
from services.forecast.shards.figures import LEVELS
from services.forecast.shards.sums import Gathered, Group, Sums, spread_of
from services.forecast.shards.totals import DRAWS, MOST_CELLS, totals_of

AHEAD, STORES = 4, 5
STORE_NAMES = [f"store-{at}" for at in range(STORES)]


def panel_of(series: int = 40, periods: int = 60, seed: int = 0) -> Panel:
    """Poisson sales; each product of four stores of five."""
    random = np.random.default_rng(seed)
    mean = random.gamma(3.0, 4.0, (series, 1))
    at = np.arange(series)
    return Panel(
        Period.WEEK,
        np.datetime64("2025-01-05") + 7 * np.arange(periods + AHEAD),
        random.poisson(mean, (series, periods)).astype(np.float64),
        static={"store": at % STORES, "product": at // 4, "sku": at // 2},
    )


@pytest.fixture(scope="module")
def made() -> Forecast:
    return forecast(panel_of(), Settings(Effort.LIGHT))


def names_of(made: Forecast) -> dict[str, list[str]]:
    products = [f"p{code}" for code in np.unique(made.panel.static["product"])]
    return {"store": STORE_NAMES, "product": products}


def gathered(*parts: tuple[Sums, dict[str, list[str]]]) -> dict[tuple[str, str], Group]:
    found = Gathered()
    for sums, names in parts:
        found.add(sums.to_bytes(), names)
    return {(group.level, group.name): group for group in found.groups()}


def test_means_add_up_on_every_level(made: Forecast) -> None:
    _, sums = totals_of(made, Place())
    groups = gathered((sums, names_of(made)))
    np.testing.assert_allclose(groups["total", "total"].mean, made.mean.sum(axis=0))
    for at, name in enumerate(STORE_NAMES):
        own = made.mean[made.panel.static["store"] == at].sum(axis=0)
        np.testing.assert_allclose(groups["store", name].mean, own)
    for level in ("store", "product"):
        whole = sum(group.mean for (kind, _), group in groups.items() if kind == level)
        np.testing.assert_allclose(whole, made.mean.sum(axis=0))


def test_totals_are_those_of_the_simulation_series_by_series(made: Forecast) -> None:
    """Each series' paths, drawn in the same way, added up in plain Python."""
    cumulative, sums = totals_of(made, Place())
    learnt = dependence(made.panel, made.held, made.calibration)
    paths = np.concatenate(
        [part for _, part in Simulation(made.panel, made.mean, made.calibration, learnt,
                                        DRAWS).chunks()], axis=1)  # fmt: skip
    for series in (0, 7, 39):
        for periods in range(2, AHEAD + 1):
            totals = sorted(sum(path[:periods]) for path in paths[:, series].tolist())
            wanted = [np.interp(level * (DRAWS - 1), range(DRAWS), totals) for level in LEVELS]
            np.testing.assert_allclose(cumulative[:, series, periods - 1], wanted)
    product = made.panel.static["product"]
    for code in (0, 9):
        own = [row for row in range(made.panel.series) if product[row] == code]
        by_hand = np.quantile(sum(paths[:, row] for row in own), LEVELS, axis=0)
        np.testing.assert_allclose(sums.spreads["product"][:, code, :AHEAD], by_hand, rtol=1e-6)


def test_totals_are_as_wide_as_independent_demand_is(made: Forecast) -> None:
    """The panel is Poisson without any common cause: so is its sum, but for unknown levels."""
    _, sums = totals_of(made, Place())
    low, middle, high = spread_of(sums.paths["total"])[:, 0, :AHEAD]
    mean = made.mean.sum(axis=0)
    exact = stats.poisson(mean).ppf(0.9) - stats.poisson(mean).ppf(0.1)
    assert np.all((high - low) / exact > 0.6)
    assert np.all((high - low) / exact < 2.0)
    assert np.all(np.abs(middle / mean - 1) < 0.05)


def test_the_first_period_is_no_total_and_more_periods_are_never_less(made: Forecast) -> None:
    cumulative, _ = totals_of(made, Place())
    quantiles = made.quantiles(LEVELS)
    np.testing.assert_array_equal(cumulative[:, :, 0], quantiles[:, :, 0])
    assert np.all(np.diff(cumulative, axis=2) >= 0)
    assert np.all(np.diff(cumulative, axis=0) >= 0)
    # Inside of what adding quantiles would say, but for a unit of chance.
    added = quantiles.cumsum(axis=2)
    assert np.all(cumulative[0, :, -1] >= added[0, :, -1] - 2)
    assert np.all(cumulative[2, :, -1] <= added[2, :, -1] + 2)
    widths = [(each[2] - each[0])[:, -1].mean() for each in (cumulative, added)]
    assert 0.4 < widths[0] / widths[1] < 0.9


def test_totals_of_rare_sellers_never_shrink() -> None:
    """The first period is exact and the others are drawn: by chance alone they would, of some."""
    random = np.random.default_rng(5)
    units = (random.random((200, 60)) < random.uniform(0.02, 0.3, (200, 1))).astype(np.float64)
    dates = np.datetime64("2025-01-05") + 7 * np.arange(60 + AHEAD)
    made = forecast(Panel(Period.WEEK, dates, units), Settings(Effort.LIGHT))
    cumulative, sums = totals_of(made, Place())
    assert np.all(np.diff(cumulative, axis=2) >= 0)
    assert set(sums.means) == {"total"}


def test_the_same_forecast_gives_the_same_totals(made: Forecast) -> None:
    place = Place(3, {"store": [11, 12, 13, 14, 15]})
    first, again = [totals_of(made, place) for _ in range(2)]
    np.testing.assert_array_equal(first[0], again[0])
    assert first[1].to_bytes() == again[1].to_bytes()
    assert Sums.from_bytes(first[1].to_bytes()).to_bytes() == first[1].to_bytes()


def drawn_apart(made: Forecast, common: dict[str, float], places: list[Place]) -> np.ndarray:
    """Correlations of the sums of two stores in two shards, which have ``common`` in common."""
    learnt = dependence(made.panel, made.held, made.calibration)
    sums = []
    for place in places:
        keys = {name: np.array(codes) for name, codes in place.keys.items()}
        told = type(learnt)(learnt.over_time, common)
        simulated = Simulation(
            made.panel, made.mean, made.calibration, told, 400, part=place.shard, keys=keys
        )
        sums.append(simulated.group_paths(made.panel.static["store"]))
    return np.array(
        [
            [np.corrcoef(sums[0][:, one, 0], sums[1][:, other, 0])[0, 1] for other in (0, 1)]
            for one in (0, 1)
        ]
    )


def test_shards_share_what_their_stores_share_and_nothing_else(made: Forecast) -> None:
    keys = [7, 8, 9, 10, 11]
    swapped = [8, 7, 9, 10, 11]
    places = [Place(0, {"store": keys}), Place(1, {"store": swapped})]
    found = drawn_apart(made, {"store": 0.8}, places)
    assert min(found[0, 1], found[1, 0]) > 0.7  # The same stores, under other codes.
    assert np.abs(np.diag(found)).max() < 0.2
    assert np.abs(drawn_apart(made, {}, places)).max() < 0.2  # Each series has luck of its own.
    assert drawn_apart(made, {EVERYTHING: 0.8}, places).min() > 0.7
    assert np.abs(drawn_apart(made, {"product": 0.8}, places)).max() < 0.2  # Never of two shards.


def test_groups_of_several_shards_are_added_by_name() -> None:
    def sums(*units: float) -> Sums:
        paths = np.array(units, dtype=np.float32)[np.newaxis, :, np.newaxis] * np.ones((9, 1, 2))
        means = np.array(units)[:, np.newaxis] * np.ones(2)
        whole = {"total": means.sum(axis=0, keepdims=True), "store": means}
        return Sums(
            {**whole, "product": means},
            {"total": paths.sum(axis=1, keepdims=True), "store": paths},
            {"product": spread_of(paths)},
        )

    one = (sums(1.0, 2.0), {"store": ["berlin", "paris"], "product": ["a", "b"]})
    two = (sums(10.0, 20.0), {"store": ["paris", "rome"], "product": ["c", "d"]})
    groups = gathered(one, two)
    stores = {name: group.mean[0] for (level, name), group in groups.items() if level == "store"}
    assert stores == {"berlin": 1.0, "paris": 12.0, "rome": 20.0}
    assert groups["store", "paris"].spread.tolist() == [[12.0, 12.0, 24.0]] * 3
    assert groups["total", "total"].mean.tolist() == [33.0, 33.0]
    assert {name for level, name in groups if level == "product"} == {"a", "b", "c", "d"}


def test_a_level_that_a_shard_lacks_is_left_out() -> None:
    paths = np.ones((3, 1, 2), dtype=np.float32)
    whole = {"total": np.ones((1, 2))}
    full = Sums({**whole, "store": np.ones((1, 2))}, {"total": paths, "store": paths}, {})
    less = Sums(whole, {"total": paths}, {})
    names = {"store": ["berlin"]}
    for parts in ([full, less], [less, full]):
        groups = gathered(*((part, names) for part in parts))
        assert {level for level, _ in groups} == {"total"}


def test_a_level_of_too_many_groups_is_left_out() -> None:
    made = forecast(panel_of(series=8), Settings(Effort.LIGHT))
    wide = MOST_CELLS // AHEAD
    for codes, kept in ((wide - 1, True), (wide, False)):
        static = {**made.panel.static, "style": np.array([codes] * 8)}
        panel = Panel(made.panel.period, made.panel.dates, made.panel.units, static=static)
        again = Forecast(
            **{name: getattr(made, name) for name in made.__slots__} | {"panel": panel}
        )
        assert ("style" in totals_of(again, Place())[1].paths) is kept
