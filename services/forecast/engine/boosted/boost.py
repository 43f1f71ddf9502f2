"""Fits boosted models on forecasts of the past, and forecasts with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Floats
from services.forecast.engine.boosted import model
from services.forecast.engine.boosted.bench import Bench, lay
from services.forecast.engine.boosted.features import YEAR, Layout
from services.forecast.engine.boosted.lessons import Asked, begun, describe, gather
from services.forecast.engine.boosted.recipe import Recipe
from services.forecast.engine.boosted.recursion import step_by_step
from services.forecast.engine.boosted.rows import every
from services.forecast.engine.boosted.said import Said
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period

Models = Mapping[str, model.Model]


@dataclass(frozen=True, slots=True)
class Luck:
    """What chance and speed hang on. Threads do not change a result."""

    seed: int
    threads: int


def lattice(panel: Panel, most: int) -> list[int]:
    """Up to ``most`` origins to learn from, ascending, at least half a horizon before the end.

    Half a horizon apart, so that targets overlap little; later ones first, and none that leaves
    less than a third of the past before it.
    """
    gap = max(1, panel.ahead // 2)
    least = max(panel.periods // 3, 2)
    origins = range(panel.periods - gap, least - 1, -gap)
    return sorted(origins[:most])


def forecasts(
    panel: Panel,
    taught: Mapping[int, Said],
    asked: Sequence[Said],
    recipes: Sequence[Recipe],
    luck: Luck,
    share: float = 1.0,
) -> dict[str, list[Floats]]:
    """Each recipe's forecasts, (series, ahead), from each origin that is ``asked`` about.

    One fit of each: what lies before the earliest origin teaches the models of all. A recipe with
    too little to learn from is left out.

    Args:
        panel: the past up to the last origin, and what is known of its future.
        taught: by origin, what the simple tier said there: the forecasts to learn from.
        asked: ascending. What the simple tier said from the origins to forecast from.
        recipes: the models to fit.
        luck: seed and threads.
        share: of the rows that a recipe asks for, how many to learn from.
    """
    found: dict[str, list[Floats]] = {}
    models: Models = {}
    if not (asked and recipes):
        return found
    layout = Layout.of(panel.until(asked[0].origin, panel.ahead))
    # Later ones would teach nothing: what came of them is not known yet.
    known = {origin: each for origin, each in taught.items() if origin < asked[0].origin}
    for said in asked:
        earliest = _earliest(said.origin, panel.period)
        bench = lay(panel, said, min([*taught, earliest]), layout)
        if said is asked[0]:
            models = _fitted(bench, known, earliest, recipes, share, luck)
        for name, mean in _predicted(bench, recipes, models).items():
            found.setdefault(name, []).append(mean)
    return found


def _fitted(
    bench: Bench,
    taught: Mapping[int, Said],
    earliest: int,
    recipes: Sequence[Recipe],
    share: float,
    luck: Luck,
) -> Models:
    found: dict[str, model.Model] = {}
    for recipe in recipes:
        asked = _asked(recipe, bench, sorted(taught), earliest)
        most = int(share * recipe.rows)
        past = gather(bench, asked, taught if recipe.looks else None, most, luck.seed)
        if past is None:
            continue
        lessons = model.Lessons(
            past.rows.values, past.rows.names, bench.layout.categories, past.units, past.weight
        )
        fitted = model.fit(lessons, recipe, luck.seed, luck.threads)
        if fitted is not None:
            found[recipe.name] = fitted
    return found


def _asked(recipe: Recipe, bench: Bench, taught: Sequence[int], earliest: int) -> Asked:
    """Which forecasts of the past ``recipe`` learns from."""
    stop = bench.first + bench.panel.periods
    if recipe.looks:
        return Asked(taught, bench.panel.ahead)
    return Asked(range(earliest, stop), 1)


def _earliest(origin: int, period: Period) -> int:
    """From where a model learns at ``origin``: two years back, or after a third of the past."""
    return max(origin // 3, origin - 2 * YEAR[period], 1)


def _predicted(bench: Bench, recipes: Sequence[Recipe], models: Models) -> dict[str, Floats]:
    """(series, ahead) by recipe. Series that have hardly begun get the simple forecast."""
    simple = bench.said.mean
    alive = begun(bench.panel, np.array([bench.panel.periods]))
    found = {}
    for recipe in recipes:
        if recipe.name in models:
            units = np.where(alive, _said_by(recipe, models[recipe.name], bench), simple)
            # Where the simple forecast is 0, the series is dead or everything is shut.
            found[recipe.name] = np.where(simple > 0, units, 0.0)
    return found


def _said_by(recipe: Recipe, fitted: model.Model, bench: Bench) -> Floats:
    """(series, ahead). What ``fitted`` says of every series."""
    if not recipe.looks:
        return step_by_step(bench, fitted)
    units = np.zeros(bench.said.mean.shape)
    for block in bench.blocks():
        rows = every(block.rows, np.array([bench.panel.periods]), bench.panel.ahead)
        described = describe(block, rows, {bench.said.origin: bench.said}, bench.first)
        levels = fitted.predict(described.values)
        units[block.rows] = (levels * described.unit).reshape(-1, bench.panel.ahead)
    return units
