"""Cold start: attributes first, own sales as they come, and an answer for every panel."""

import numpy as np
import pytest

from services.forecast.engine.cold_start import cold_means, estimate
from services.forecast.engine.cold_start.cold import learn
from services.forecast.engine.cold_start.launch import launch_profile
from services.forecast.engine.cold_start.scatter import scatter
from services.forecast.engine.cold_start.terms import choose_terms
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period

FIRST = np.datetime64("2025-01-06")
STYLES, STORES, WEEKS = 24, 10, 30


def world(seed: int = 1, noise: float = 0.0) -> tuple[Panel, np.ndarray]:
    """A panel of styles of three kinds in stores of different size, and its true rates."""
    rng = np.random.default_rng(seed)
    style = np.repeat(np.arange(STYLES), STORES)
    store = np.tile(np.arange(STORES), STYLES)
    kind = style % 3
    log = np.array([0.0, 1.2, 2.4])[kind] + 0.2 * rng.standard_normal(STYLES)[style]
    log = log + 0.5 * rng.standard_normal(STORES)[store]
    rate = np.exp(log + noise * rng.standard_normal(log.size))
    units = rng.poisson(rate[:, np.newaxis], (rate.size, WEEKS)).astype(np.float64)
    static = {"style": style, "store": store, "kind": kind}
    return Panel(Period.WEEK, Period.WEEK.dates(FIRST, WEEKS), units, static=static), rate


def hidden(panel: Panel, rows: np.ndarray, weeks: int = 0) -> Panel:
    """The panel as if ``rows`` had begun ``weeks`` ago."""
    units = panel.units.copy()
    units[rows, : panel.periods - weeks] = np.nan
    return Panel(panel.period, panel.dates, units, static=panel.static)


def error(found: np.ndarray, truth: np.ndarray) -> float:
    return float(np.abs(found - truth).sum() / truth.sum())


def test_effects_find_what_the_average_does_not() -> None:
    panel, rate = world()
    rows = np.random.default_rng(2).choice(panel.series, 40, replace=False)
    found = learn(hidden(panel, rows), 0).rates(rows).mean
    assert error(found, rate[rows]) < 0.15
    assert error(np.full(40, rate.mean()), rate[rows]) > 0.6


def test_own_sales_take_over() -> None:
    panel, rate = world(noise=0.4)
    odd = 7  # Sells four times what its attributes say.
    units = panel.units.copy()
    units[odd] = np.random.default_rng(3).poisson(4 * rate[odd], WEEKS)
    panel = Panel(panel.period, panel.dates, units, static=panel.static)
    found = [
        float(learn(hidden(panel, np.array([odd]), weeks), 0).rates(np.array([odd])).mean[0])
        for weeks in (0, 2, 6, 20)
    ]
    assert found == sorted(found)
    assert found[-1] == pytest.approx(4 * rate[odd], rel=0.2)
    assert found[0] < 0.6 * found[-1]


def test_a_new_style_is_expected_from_its_kind_and_says_with_what_it_was_compared() -> None:
    panel, rate = world()
    kept = np.flatnonzero(panel.static["style"] != 4)
    rows = np.flatnonzero(panel.static["style"] == 4)
    new = {name: codes[rows].copy() for name, codes in panel.static.items()}
    new["style"][:] = -1
    found = estimate(panel.of(kept), new, 4, item="style")
    assert found.mean.shape == (STORES, 4)
    assert error(found.mean.mean(axis=1), rate[rows]) < 0.35
    heaviest = found.analogues.items[found.analogues.weights > 0.05]
    assert set((heaviest % 3).tolist()) == {1}
    assert found.analogues.weights.sum() == pytest.approx(1)
    low, high = found.quantile(0.1), found.quantile(0.9)
    assert (low < found.rates.mean).all()
    assert (found.rates.mean < high).all()


def test_analogues_can_be_given() -> None:
    panel, rate = world()
    rows = np.flatnonzero(panel.static["style"] == 4)
    new = {name: codes[rows].copy() for name, codes in panel.static.items()}
    new["style"][:] = -1
    found = estimate(panel, new, 1, item="style", analogues={2: 3.0, 5: 1.0})
    assert found.analogues.items.tolist() == [2, 5]
    assert found.analogues.weights.tolist() == [0.75, 0.25]
    like = 0.75 * rate[panel.static["style"] == 2] + 0.25 * rate[panel.static["style"] == 5]
    assert error(found.mean[:, 0], like) < 0.15


def test_a_new_store_is_an_average_one_until_it_sells() -> None:
    panel, rate = world()
    kept = np.flatnonzero(panel.static["store"] != 3)
    rows = np.flatnonzero(panel.static["store"] == 3)
    new = {name: codes[rows].copy() for name, codes in panel.static.items()}
    new["store"][:] = -1
    found = estimate(panel.of(kept), new, 1).mean[:, 0]
    average = np.array([rate[kept][panel.static["style"][kept] == s].mean() for s in range(STYLES)])
    assert error(found, average) < 0.15


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"newcomers": {"style": np.array([0])}}, r"\['kind', 'store'\]"),
        ({"analogues": {1: 1.0}}, "item"),
        ({"analogues": {99: 1.0}, "item": "style"}, r"\[99\]"),
        ({"analogues": {1: -1.0}, "item": "style"}, "negative"),
    ],
)
def test_wrong_questions_are_told_what_is_wrong(given: dict[str, object], message: str) -> None:
    panel, _ = world()
    newcomers = {name: codes[:1] for name, codes in panel.static.items()}
    arguments: dict[str, object] = {"newcomers": newcomers, **given}
    with pytest.raises(ValueError, match=message):
        estimate(panel, ahead=1, **arguments)  # type: ignore[arg-type] # What the case gives.


def test_launches_follow_the_profile_of_launches_before() -> None:
    rng = np.random.default_rng(5)
    curve = np.concatenate([[3.0, 2.5, 2.0, 1.5], np.ones(WEEKS)])
    units = rng.poisson(10, (60, WEEKS)).astype(np.float64)
    for row in range(30):
        start = 6 + row % 12
        units[row] = np.nan
        units[row, start:] = rng.poisson(10 * curve[: WEEKS - start])
    units[0] = np.nan
    panel = Panel(Period.WEEK, Period.WEEK.dates(FIRST, WEEKS), units)
    found = cold_means(panel, np.array([0]), 6)[0]
    assert found[0] > 2 * found[5]
    exposed = (~np.isnan(units)).astype(np.float64)
    profile = launch_profile(panel, np.nan_to_num(units), exposed, 2)
    assert profile.shape == (60, WEEKS + 2)
    assert (profile[30:] == 1).all()


@pytest.mark.parametrize("period", list(Period))
@pytest.mark.parametrize("kind", ["nothing", "zeros", "one period", "one series", "no attributes"])
def test_every_panel_has_an_answer(period: Period, kind: str) -> None:
    units = np.random.default_rng(1).poisson(2.0, (5, 40)).astype(np.float64)
    units = {
        "nothing": units * np.nan,
        "zeros": units * 0,
        "one period": units[:, :1],
        "one series": units[:1],
        "no attributes": units,
    }[kind]
    static = {} if kind == "no attributes" else {"a": np.arange(units.shape[0]) % 2}
    dates = period.dates(FIRST, units.shape[1])
    found = cold_means(Panel(period, dates, units, static=static), np.arange(units.shape[0]), 3)
    assert found.shape == (units.shape[0], 3)
    assert np.isfinite(found).all()
    assert (found >= 0).all()


def test_terms_leave_out_what_tells_every_series_apart_and_what_another_determines() -> None:
    panel, _ = world()
    static = {**panel.static, "id": np.arange(panel.series)}
    names = {term.columns for term in choose_terms(static)}
    assert {("style",), ("store",), ("kind",)} <= names
    assert ("id",) not in names
    assert ("style", "kind") not in names
    assert ("store", "kind") in names


def test_sales_that_never_vary_are_taken_for_counts_of_little_scatter() -> None:
    found = scatter(np.full((5, 12), 3.0), np.ones((5, 12)))
    assert 0 < found.spread(np.array([3.0]))[0] < 0.1
