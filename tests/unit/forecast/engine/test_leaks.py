"""A tier's forecast of a past origin does not read what came after it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest

from services.forecast.engine import tiers
from services.forecast.engine.arrays import Floats
from services.forecast.engine.boosted import Luck
from services.forecast.engine.effort import Effort
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period
from services.forecast.engine.plain import PlainTier
from services.forecast.engine.promo import PromoTier
from services.forecast.engine.segments import segments
from services.forecast.engine.tier import Tier

SERIES, PERIODS, AHEAD = 30, 120, 5
MANY = 120  # Series: fewer are too few for boosted models.
ORIGINS = (90, 105, 120)
TIERS: dict[str, Tier] = {"plain": PlainTier(), "promo": PromoTier()}


def panel(period: Period, later_than: int = PERIODS, series: int = SERIES) -> Panel:
    """A panel whose units after the column ``later_than``, and plans that reach further, differ."""
    random, other = np.random.default_rng(1), np.random.default_rng(2)
    plan = random.random((series, PERIODS + AHEAD)) < 0.15
    level = random.gamma(1.0, 6.0, (series, 1)) * (1 + plan[:, :PERIODS])
    units = random.poisson(level).astype(np.float64)
    units[:4, :80] = np.nan
    units[:, later_than:] = other.poisson(40.0, (series, PERIODS - later_than))
    price = np.where(plan, 0.7, 1.0)
    price[:, later_than + AHEAD :] = 3.0
    exposure = np.ones((series, PERIODS))
    exposure[:, later_than:] = 0.5
    return Panel(
        period=period,
        dates=period.dates(np.datetime64("2018-01-01"), PERIODS + AHEAD),
        units=units,
        known={"price": price},
        static={"store": np.arange(series) % 3},
        exposure=exposure,
    )


def reads_ahead(tier: Tier, period: Period) -> bool:
    """Whether the forecast of an origin depends on later columns; all are asked for at once."""
    found = tier.run(panel(period), ORIGINS, AHEAD)
    for number, origin in enumerate(ORIGINS[:-1]):
        other = tier.run(panel(period, later_than=origin), ORIGINS, AHEAD)
        if not np.array_equal(found[number], other[number]):
            return True
        assert not np.array_equal(found[-1], other[-1])  # Else it looks at nothing.
    return False


@pytest.mark.parametrize("period", Period)
@pytest.mark.parametrize("name", TIERS)
def test_tiers_do_not_read_past_an_origin(name: str, period: Period) -> None:
    assert not reads_ahead(TIERS[name], period)


@dataclass(frozen=True)
class Peeking:
    """Knows a thousandth of what comes."""

    tier: Tier
    name: str = "peeking"

    def run(self, panel: Panel, origins: Sequence[int], ahead: int) -> list[Floats]:
        found = self.tier.run(panel, origins, ahead)
        for number, origin in enumerate(origins):
            actual = np.nan_to_num(panel.units[:, origin : origin + ahead])
            found[number][:, : actual.shape[1]] += 0.001 * actual
        return found


def test_boosted_models_do_not_learn_from_what_came_after_an_origin() -> None:
    """Lessons are shared by the origins, and each may take those before it alone."""
    sound, changed = (
        _full(panel(Period.WEEK, later_than, MANY), past=110) for later_than in (PERIODS, 110)
    )
    assert len(sound.past) > len(TIERS)
    for name, (before,) in sound.past.items():
        assert np.array_equal(before, changed.past[name][0]), name
    for name in sound.now.keys() & changed.now.keys():
        assert not np.array_equal(sound.now[name], changed.now[name]), name


def _full(panel: Panel, past: int) -> tiers.Runs:
    return tiers.run(panel, (past,), segments(panel), Effort.FULL, Luck(0, 1))


@pytest.mark.parametrize("name", TIERS)
def test_a_tier_that_peeks_is_caught(name: str) -> None:
    assert reads_ahead(Peeking(TIERS[name]), Period.WEEK)


def test_a_panel_that_is_cut_has_nothing_left_to_read() -> None:
    whole, changed = panel(Period.DAY), panel(Period.DAY, later_than=90)
    cut, other = whole.until(90, AHEAD), changed.until(90, AHEAD)
    assert np.array_equal(cut.units, other.units, equal_nan=True)
    assert np.array_equal(cut.known["price"], other.known["price"])
    assert replace(cut, units=cut.units).dates.size == 90 + AHEAD
