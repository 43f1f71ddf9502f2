"""Boosted trees that shift distributions: what the means and the power law leave to be seen.

Regression trees of the normal scores of past records on what was known of each forecast. The models
of one past origin learn from the others only, so that what they say there can be judged (`trial`)
and recalibrated like any other forecast. What they say of the future is averaged.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray
from scipy import special

from services.forecast.engine.arrays import Floats
from services.forecast.engine.boosted import Luck
from services.forecast.engine.intervals import features
from services.forecast.engine.intervals.family import Place
from services.forecast.engine.intervals.spread import Spread
from services.forecast.engine.panel import Panel

TREES = 60
LEAST_ROWS, MOST_ROWS = 3_000, 200_000  # With fewer records of other origins there are no models.
LEAST_ORIGINS = 2
LEAST_CHANCE = 0.002  # Of a record's place: normal scores beyond count as that much.
SOFT = 0.02  # Of a usual sale: keeps logarithms finite.
SHORT, MIDDLE = 13, 4  # Windows are a season over these.
PARAMETERS = {
    "objective": "regression",
    "num_leaves": 12,
    "learning_rate": 0.1,
    "min_data_in_leaf": 200,
    "lambda_l2": 20.0,
    "feature_fraction": 0.7,
    "max_bin": 63,
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}

Told = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Shift:
    """By how much normal scores are moved, and the share of it that is believed."""

    models: Sequence[lgb.Booster]
    share: float

    def of(self, panel: Panel, mean: Floats, described: Floats, spread: Spread) -> Floats:
        """(series x ahead,). Of the arguments of `describe`."""
        told = describe(panel, mean, described, spread).reshape(mean.size, -1)
        said = np.mean([_said(each, told) for each in self.models], axis=0)
        return np.asarray(self.share * said)


def moved(levels: Floats, shift: Floats) -> Floats:
    """Levels whose normal scores are ``shift`` further up; (..., records) of (records,)."""
    return np.asarray(special.ndtr(special.ndtri(levels) + shift))


def describe(panel: Panel, mean: Floats, described: Floats, spread: Spread) -> Told:
    """What models are told, (series, ahead, features).

    Args:
        panel: what the forecast had seen.
        mean: (series, ahead).
        described: by `features.describe`.
        spread: the power law and the series' own factors.
    """
    columns = [*np.moveaxis(described, -1, 0)[1:]]
    soft = SOFT * spread.unit
    columns.append(np.log((spread.deviation(described) + soft) / (mean + soft)))
    season = panel.period.season
    for window in (max(season // SHORT, 2), max(season // MIDDLE, 3), season):
        level = features.mean_of(panel.units[:, -window:], np.full(panel.series, np.nan))
        columns.append(np.log((level[:, np.newaxis] + soft) / (mean + soft)))
    columns += _known(panel, mean.shape[1])
    columns += [panel.static[name][:, np.newaxis] for name in sorted(panel.static)]
    told = np.empty((*mean.shape, len(columns)), dtype=np.float32)
    for at, column in enumerate(columns):
        told[..., at] = column
    return told


def _known(panel: Panel, ahead: int) -> Iterator[Floats]:
    """What is known of the future, and how far it is from the series' usual."""
    for name in sorted(panel.known):
        values = panel.known[name]
        plan = values[:, panel.periods : panel.periods + ahead]
        usual = features.mean_of(values[:, : panel.periods], np.full(panel.series, np.nan))
        yield plan
        yield plan - usual[:, np.newaxis]


def scores(place: Place, seed: int) -> Floats:
    """Normal scores of one origin's records, about their mean; that of a count is drawn."""
    drawn = np.random.default_rng(seed).random(place.before.size)
    level = place.before + drawn * (place.until - place.before)
    found = special.ndtri(np.clip(level, LEAST_CHANCE, 1.0 - LEAST_CHANCE))
    return np.asarray(found - found.mean()) if found.size else found


def learn(
    told: Sequence[Told], score: Sequence[Floats], luck: Luck
) -> tuple[list[lgb.Booster], Floats] | None:
    """Models without each origin, and what they say there; None with too little to learn from.

    Args:
        told: of each past origin, (records, features).
        score: likewise, (records,).
        luck: seed and threads.

    Returns:
        A model for each origin, and the shifts of all records, origin after origin.
    """
    sizes = np.array([each.size for each in score])
    if sizes.size < LEAST_ORIGINS or (sizes.sum() - sizes).min() < LEAST_ROWS:
        return None
    models, said = [], []
    for at, here in enumerate(told):
        others = [each for each in range(len(told)) if each != at]
        values = np.concatenate([told[each] for each in others])
        target = np.concatenate([score[each] for each in others])
        models.append(_fitted(values, target, luck))
        said.append(_said(models[-1], here))
    return models, np.concatenate(said)


def _fitted(values: Told, target: Floats, luck: Luck) -> lgb.Booster:
    every = -(-target.size // MOST_ROWS)
    chosen = {**PARAMETERS, "seed": luck.seed, "num_threads": luck.threads}
    data = lgb.Dataset(values[::every], target[::every], params=chosen)
    return lgb.train(chosen, data, TREES)


def _said(model: lgb.Booster, told: Told) -> Floats:
    if not len(told):
        return np.zeros(0)
    return np.asarray(model.predict(told, num_threads=1), dtype=np.float64)
