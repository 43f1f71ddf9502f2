"""Nothing after a cutoff is read but what is known in advance, and that no further than needed."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli.panels import cut as cutting
from cli.panels import run
from cli.panels.rows import Columns, Rows, read
from cli.panels.source import Source
from cli.panels.values import Floats
from services.forecast.engine.effort import Effort
from services.forecast.engine.forecast import Settings, forecast
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period
from tests.unit.cli.strange_panels import long, names, units, weeks

SERIES, PERIODS, SEEN, HORIZON = 72, 110, 100, 6  # Enough for boosted models.
COLUMNS = Columns(known=("price", "event"), static=("store",), weight="spend")
Methods = Callable[[Rows], run.Method]


@pytest.fixture(params=[Effort.LIGHT, Effort.MIDDLE], ids=lambda effort: effort.value)
def engine(request: pytest.FixtureRequest) -> Methods:
    method = run.engine(Settings(request.param))
    return lambda _: method


def panel(*, changed: bool = False) -> pa.Table:
    """A panel, or one in which everything is other that must not be read."""
    random, other = np.random.default_rng(1), np.random.default_rng(2)
    y = units(random, SERIES, PERIODS) + 5.0
    step = np.tile(np.arange(PERIODS), SERIES)
    later = (step >= SEEN) & changed
    beyond = (step >= SEEN + HORIZON) & changed
    price = random.choice([1.0, 0.8], y.size, p=[0.8, 0.2])
    y *= np.where(price < 1, 3.0, 1.0).reshape(y.shape)
    event = random.choice(np.array(["none", "sale"]), y.size, p=[0.9, 0.1])
    spend = y.ravel() * price
    store = np.repeat(np.arange(SERIES) % 4, PERIODS)
    return long(
        names(SERIES),
        weeks("2022-01-03", PERIODS),
        np.where(later, other.poisson(50.0, y.size), y.ravel()).reshape(y.shape),
        price=np.where(beyond, 99.0, price),
        event=np.where(beyond, "quake", event),
        spend=np.where(later, 1e6, spend),
        store=np.where(later, 9, store),
        other=np.where(later, 1, 0),
    )


def forecasts(table: pa.Table, folder: Path, methods: Methods) -> pa.Table:
    pq.write_table(table, folder / "panel.parquet")
    rows = read(Source(folder / "panel.parquet"), COLUMNS)
    (cutoff,) = run.cutoffs([str(weeks("2022-01-03", SEEN)[-1])[:10]], rows)
    method = methods(rows)
    result = run.run(rows, Period.WEEK, cutoff, HORIZON, method)
    assert result.series == SERIES
    return result.forecasts


def reads_ahead(folder: Path, methods: Methods) -> bool:
    """Whether forecasts depend on what nobody can know at the cutoff."""
    return not forecasts(panel(), folder, methods).equals(
        forecasts(panel(changed=True), folder, methods)
    )


def test_forecasts_never_read_past_their_cutoff(engine: Methods, tmp_path: Path) -> None:
    assert not reads_ahead(tmp_path, engine)


def test_what_is_known_in_advance_is_read(engine: Methods, tmp_path: Path) -> None:
    """Else the test above would hold for an engine that looks at nothing."""
    table = panel()
    step = np.tile(np.arange(PERIODS), SERIES)
    price = np.where((step >= SEEN) & (step < SEEN + HORIZON), 0.8, table["price"].to_numpy())
    dearer = table.set_column(table.column_names.index("price"), "price", pa.array(price))
    assert not forecasts(table, tmp_path, engine).equals(forecasts(dearer, tmp_path, engine))


@dataclass(frozen=True)
class Peeking:
    """A method that holds the file, and looks up a little of what it is asked for."""

    rows: Rows

    def __call__(self, panel: Panel) -> tuple[Floats, Floats]:
        mean, quantiles = run.engine(Settings(Effort.LIGHT))(panel)
        actual = self.rows.units.reshape(SERIES, PERIODS)[:, SEEN : SEEN + HORIZON]
        return 0.999 * mean + 0.001 * actual, quantiles


def test_a_method_that_peeks_is_caught(tmp_path: Path) -> None:
    assert reads_ahead(tmp_path, Peeking)


@pytest.mark.parametrize("leak", ["known", "static", "weights"])
def test_a_cut_that_lets_something_through_is_caught(
    leak: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left of the panel reaches the method: a sum over it serves as a forecast."""

    def total(_: Rows) -> run.Method:
        def method(panel: Panel) -> tuple[Floats, Floats]:
            parts = (*panel.known.values(), *panel.static.values(), panel.weights, panel.units)
            whole = float(sum(np.nansum(part) for part in parts if part is not None))
            mean = np.full((panel.series, panel.ahead), whole)
            return mean, np.stack([mean] * 3)

        return method

    assert not reads_ahead(tmp_path, total)
    sound = cutting.cut

    def leaking(rows: Rows, period: Period, cutoff: np.datetime64, horizon: int) -> cutting.Cut:
        made = sound(rows, period, cutoff, horizon)
        later = sound(rows, period, cutoff + np.timedelta64(14, "D"), horizon).panel
        return replace(made, panel=replace(made.panel, **{leak: getattr(later, leak)}))

    monkeypatch.setattr(run, "cut", leaking)
    assert reads_ahead(tmp_path, total)


def test_boosted_models_take_part(tmp_path: Path) -> None:
    """Else the tests of the middle effort would be those of the light one."""
    tiers: list[str] = []

    def methods(_: Rows) -> run.Method:
        def method(panel: Panel) -> tuple[Floats, Floats]:
            made = forecast(panel, Settings(Effort.MIDDLE))
            tiers.extend(made.tiers)
            return made.mean, made.quantiles((0.1, 0.5, 0.9))

        return method

    forecasts(panel(), tmp_path, methods)
    assert len(tiers) > len(("plain", "promo"))


def test_two_runs_agree(engine: Methods, tmp_path: Path) -> None:
    assert forecasts(panel(), tmp_path, engine).equals(forecasts(panel(), tmp_path, engine))


def test_the_order_of_rows_and_columns_does_not_matter(engine: Methods, tmp_path: Path) -> None:
    table = panel()
    shuffled = table.take(pa.array(np.random.default_rng(3).permutation(table.num_rows)))
    turned = shuffled.select(table.column_names[::-1])
    assert forecasts(table, tmp_path, engine).equals(forecasts(turned, tmp_path, engine))
