"""One LightGBM model: what it learns from, how it is fitted, and what it says."""

from collections.abc import Sequence
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from services.forecast.engine.arrays import Floats
from services.forecast.engine.boosted.recipe import Recipe

LEAST_ROWS = 3_000  # With fewer there is no model.
ROWS_PER_LEAF = 1_500  # Of all rows: small samples get small trees.
LEAST_IN_LEAF, MOST_IN_LEAF = 20, 100
MOST_LOG = 5.0  # No forecast beyond 150 times the series' level.


@dataclass(frozen=True, slots=True)
class Lessons:
    """What to learn from. All relative to each series' level, see `features`."""

    values: NDArray[np.float32]  # (rows, features).
    names: Sequence[str]
    categories: Sequence[str]  # Those of ``names`` that are codes.
    target: Floats  # (rows,). Units per full period, in levels; not negative.
    weight: Floats  # (rows,). How much each row's error matters.


@dataclass(frozen=True, slots=True)
class Model:
    booster: lgb.Booster

    def predict(self, values: NDArray[np.float32]) -> Floats:
        """(rows,). Expected units in levels; finite and not negative."""
        logs = np.asarray(self.booster.predict(values, raw_score=True, num_threads=1))
        return np.asarray(np.exp(np.minimum(logs, MOST_LOG)))


def fit(lessons: Lessons, recipe: Recipe, seed: int, threads: int) -> Model | None:
    """The model; None if there is too little to learn from."""
    rows = lessons.target.size
    if rows < LEAST_ROWS or not lessons.target.any():
        return None
    data = lgb.Dataset(
        lessons.values,
        lessons.target,
        weight=lessons.weight,
        feature_name=[str(index) for index in range(len(lessons.names))],
        categorical_feature=[lessons.names.index(name) for name in lessons.categories],
        params={"max_bin": 63, "verbose": -1, "num_threads": threads},
        free_raw_data=True,
    )
    return Model(lgb.train(_parameters(recipe, rows, seed, threads), data, recipe.trees))


def _parameters(recipe: Recipe, rows: int, seed: int, threads: int) -> dict[str, object]:
    return {
        "objective": "tweedie",
        "tweedie_variance_power": recipe.power,
        "learning_rate": recipe.rate,
        "num_leaves": max(4, min(recipe.leaves, rows // ROWS_PER_LEAF)),
        "min_data_in_leaf": int(np.clip(rows // 4_000, LEAST_IN_LEAF, MOST_IN_LEAF)),
        "max_bin": 63,
        "feature_fraction": 0.4,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "lambda_l2": 1.0,
        "cat_l2": 10.0,
        "cat_smooth": 10.0,
        "seed": seed,
        "num_threads": threads,
        "deterministic": True,
        "force_row_wise": True,
        "verbose": -1,
    }
