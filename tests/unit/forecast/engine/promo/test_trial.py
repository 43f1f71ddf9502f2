"""Settings are tried at past origins: each fold by what was known there."""

from dataclasses import replace

import numpy as np
import pytest

from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period
from services.forecast.engine.promo.fit import base
from services.forecast.engine.promo.seasons import Calendar
from services.forecast.engine.promo.settings import default
from services.forecast.engine.promo.trial import Trial
from tests.unit.forecast.engine.promo.support import planted

AHEAD = 8
DEFAULT = default(Period.WEEK)


def trial(panel: Panel) -> Trial:
    shared = base(panel, panel.periods - 3 * AHEAD, AHEAD, 0, Calendar())
    return Trial(shared, panel.periods)


def test_the_coefficients_of_a_fold_do_not_know_what_came_after_it() -> None:
    panel = planted().panel
    earliest = panel.periods - 3 * AHEAD
    units = panel.units.copy()
    units[:, earliest:] = 7.0 * units[:, earliest:] ** 2
    before = trial(panel)
    after = trial(replace(panel, units=units))
    origins = [fold.origin for fold in before.folds]
    assert earliest in origins
    pairs = zip(origins, before.coefficients(DEFAULT), after.coefficients(DEFAULT), strict=True)
    for origin, known, changed in pairs:
        assert np.array_equal(known, changed) == (origin == earliest)


@pytest.mark.parametrize("group", ["", "article"])
def test_coefficients_are_multiplied_by_the_gain(group: str) -> None:
    found = trial(planted().panel)
    whole = found.coefficients(replace(DEFAULT, group=group))
    half = found.coefficients(replace(DEFAULT, group=group, gain=0.5))
    for one, other in zip(whole, half, strict=True):
        assert other == pytest.approx(0.5 * one)


def test_how_groups_are_numbered_does_not_matter() -> None:
    panel = planted().panel
    sparse = {**panel.static, "article": 1000 * panel.static["article"] + 7}
    settings = replace(DEFAULT, group="article")
    found = trial(panel).coefficients(settings)
    other = trial(replace(panel, static=sparse)).coefficients(settings)
    for one, same in zip(found, other, strict=True):
        assert np.array_equal(one, same)
