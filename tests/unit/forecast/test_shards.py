import numpy as np
import pytest

from services.forecast.answers.what_if import Shared, pack, what_if
from services.forecast.engine.effort import Effort
from services.forecast.engine.forecast import Settings, forecast
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period
from services.forecast.engine.promo import state_of
from services.forecast.shards.compute import compute
from services.forecast.shards.data import Found, Task, pack_panel, series_lines, unpack_panel
from services.forecast.shards.figures import Figures, Judged, scores, sums_of

AHEAD = 4


def panel_of(series: int = 30, periods: int = 60, seed: int = 0) -> Panel:
    random = np.random.default_rng(seed)
    promotion = (random.random((series, periods + AHEAD)) < 0.2).astype(np.float64)
    mean = random.gamma(2.0, 3.0, (series, 1)) * (1 + promotion)
    units = random.poisson(mean).astype(np.float64)[:, :periods]
    units[::7, :20] = np.nan
    return Panel(
        Period.WEEK,
        np.datetime64("2025-01-05") + 7 * np.arange(periods + AHEAD),
        units,
        known={"promotion": promotion},
        static={"product": np.arange(series) // 3},
        exposure=np.ones_like(units),
        weights=np.nansum(units, axis=1),
    )


def task_of(panel: Panel, cutoff: str | None = None) -> bytes:
    return Task(pack_panel(panel), "light", cutoff).to_bytes()


def test_a_panel_comes_back_as_it_went() -> None:
    panel = panel_of()
    back = unpack_panel(pack_panel(panel))
    assert back.period is panel.period
    for name in ("dates", "units", "exposure", "weights"):
        np.testing.assert_array_equal(getattr(back, name), getattr(panel, name))
    np.testing.assert_array_equal(back.known["promotion"], panel.known["promotion"])
    np.testing.assert_array_equal(back.static["product"], panel.static["product"])


def test_what_a_panel_lacks_stays_lacking() -> None:
    bare = Panel(Period.DAY, np.datetime64("2026-01-01") + np.arange(3), np.ones((1, 2)))
    back = unpack_panel(pack_panel(bare))
    assert (back.exposure, back.weights, dict(back.known), dict(back.static)) == (
        None,
        None,
        {},
        {},
    )


def test_a_shard_is_forecast_alike_again_and_again() -> None:
    found = [compute(Task.from_bytes(task_of(panel_of()))).to_bytes() for _ in range(2)]
    assert found[0] == found[1]
    assert Found.from_bytes(found[0]).to_bytes() == found[0]
    assert len(Found.from_bytes(found[0]).rows.split(b"\n")) == 30


def test_a_backtest_reads_nothing_after_its_cutoff_but_to_score() -> None:
    panel = panel_of()
    cutoff = str(panel.dates[49])
    planted = panel.units.copy()
    planted[:, 50:] *= 1000
    leak = Panel(panel.period, panel.dates, planted, panel.known, panel.static)
    plain = Panel(panel.period, panel.dates, panel.units, panel.known, panel.static)
    found = [Figures.from_bytes(compute(Task.from_bytes(task_of(p, cutoff))).figures)
             for p in (plain, leak)]  # fmt: skip
    whole = [scores([figures])[0] for figures in found]
    assert whole[0].cutoff_date.isoformat() == cutoff
    # The same forecasts: all that differs is what then sold, so the bias is all that was sold.
    forecasts = [score.bias * sold + sold for score, sold in zip(
        whole, (np.nansum(p.units[:, 50:54]) for p in (plain, leak)), strict=True)]  # fmt: skip
    assert forecasts[0] == pytest.approx(forecasts[1], rel=1e-9)


@pytest.mark.parametrize("cutoff", ["2024-01-01", "2030-01-01"])
def test_a_cutoff_outside_of_the_panel_scores_nothing(cutoff: str) -> None:
    figures = Figures.from_bytes(compute(Task.from_bytes(task_of(panel_of(), cutoff))).figures)
    assert scores([figures]) == ()


def test_scores_of_shards_add_up_to_those_of_the_whole() -> None:
    random = np.random.default_rng(1)
    past, actual = random.poisson(4, (40, 30)) * 1.0, random.poisson(4, (40, 5)) * 1.0
    actual[::9, 2:] = np.nan
    mean = random.gamma(4, 1, (40, 5))
    quantiles = np.stack([mean * factor for factor in (0.5, 1.0, 1.6)])
    codes, names = np.arange(40) % 3, ("a", "b", "c")

    def figures(rows: slice) -> Figures:
        judged = Judged(
            np.datetime64("2026-01-04"), past[rows], actual[rows], mean[rows], quantiles[:, rows]
        )
        found, sums = sums_of(judged, names, codes[rows])
        days = np.full(len(found), 20_457)
        return Figures(days, tuple(found), sums, "plain", np.zeros((0, 5)))

    whole = scores([figures(slice(None))])
    parts = scores([figures(slice(0, 13)), figures(slice(13, 40))])
    assert [score[:3] for score in parts] == [score[:3] for score in whole]
    for one, other in zip(parts, whole, strict=True):
        assert one[3:] == pytest.approx(other[3:])
    assert [score.segment for score in whole] == ["all", "a", "b", "c"]
    assert (whole[0].cutoff_date.isoformat(), whole[0].series) == ("2026-01-04", 40)


def test_scores_are_what_their_definitions_say() -> None:
    past = np.array([[0.0, 0, 2, 4, 1]])
    actual, mean = np.array([[3.0, 1]]), np.array([[2.0, 3]])
    quantiles = np.array([[[1.0, 2]], [[2, 3]], [[4, 5]]])
    judged = Judged(np.datetime64("2026-01-04"), past, actual, mean, quantiles)
    found, sums = sums_of(judged, ("only",), np.array([0]))
    figures = Figures(np.array([1, 1]), tuple(found), sums, "plain", np.zeros((0, 5)))
    score = scores([figures])[0]
    steps = np.array([2.0, -3.0])  # From the first sale on.
    assert score.rmsse == pytest.approx(np.sqrt(2.5 / np.mean(steps**2)))
    assert score.mase == pytest.approx(1.5 / 2.5)
    assert score.wmape == pytest.approx(3 / 4)
    assert score.bias == pytest.approx(1 / 4)
    assert score.coverage == pytest.approx(1 / 2)
    losses = [0.1 * 2 + 0.9 * 1, 0.5 * 1 + 0.5 * 2, 0.1 * 1 + 0.1 * 4]
    assert score.spl == pytest.approx(sum(losses) / 6 / 2.5)


def test_lines_are_what_copy_reads() -> None:
    mean = np.array([[0.1, 2.0]])
    lines = series_lines([mean, mean, mean, mean], ["plain"], [b"\x01\xff"])
    assert lines == b"2.1\t{0.1,2}\t{0.1,2}\t{0.1,2}\t{0.1,2}\tplain\t\\\\x01ff"
    assert series_lines([mean] * 4, ["plain"], []).endswith(b"\tplain\t\\N")


def test_a_stored_state_answers_as_the_model_does() -> None:
    panel = panel_of()
    made = forecast(panel, Settings(Effort.LIGHT))
    state = state_of(made.response)
    shared, own = pack(state)
    read = Shared.from_bytes(shared)
    everywhere = {"promotion": np.ones(AHEAD)}
    for row in (0, 7, 29):
        kept = read.state(own[row])
        np.testing.assert_array_equal(kept.means(0, everywhere), state.means(row, everywhere))
        same = what_if(kept, made.mean[row], {})
        np.testing.assert_array_equal(same, made.mean[row])
        assert np.all(what_if(kept, made.mean[row], everywhere) >= same * 0.999)
