"""Fits boosted models on past forecasts of a simple tier, and forecasts with them."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from services.forecast.engine.arrays import Floats
from services.forecast.engine.boosted import model
from services.forecast.engine.boosted.bench import Bench, lay
from services.forecast.engine.boosted.features import categories
from services.forecast.engine.boosted.lessons import Described, begun, describe, gather
from services.forecast.engine.boosted.recipe import Recipe
from services.forecast.engine.boosted.rows import every
from services.forecast.engine.boosted.said import Said
from services.forecast.engine.panel import Panel

LEAST_BASE = 1e-3  # Levels: a forecast of less is no start for a correction.
INNER_SHARE = 0.5  # Of the rows: what the models that only forecast past origins learn from.

Models = Mapping[str, model.Model]


def lattice(panel: Panel, most: int) -> list[int]:
    """Up to ``most`` origins to learn from, ascending, none later than one period before the end.

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
    seed: int,
    threads: int,
) -> dict[str, list[Floats]]:
    """Each recipe's forecasts, (series, ahead), from each origin that is ``asked`` about.

    Two fits at most: what lies before the earliest origin teaches the models of all but the last,
    the whole past those of the last. A recipe with too little to learn from is left out.

    Args:
        panel: the past up to the last origin, and what is known of its future.
        taught: by origin, what the simple tier said there: the forecasts to learn from.
        asked: ascending. What the simple tier said from the origins to forecast from.
        recipes: the models to fit.
        seed: of the rows that are drawn and of LightGBM.
        threads: of LightGBM.
    """
    found: dict[str, list[Floats]] = {recipe.name: [] for recipe in recipes}
    models: Models = {}
    earliest = min([*taught, asked[0].origin])
    for number, said in enumerate(asked):
        bench = lay(panel, said, earliest)
        last = number == len(asked) - 1
        if number == 0 or last:
            share = 1.0 if last else INNER_SHARE
            known = {origin: each for origin, each in taught.items() if origin < said.origin}
            models = _fitted(bench, known, recipes, share, seed, threads)
        for name, mean in _predicted(bench, recipes, models).items():
            found[name].append(mean)
    return {name: means for name, means in found.items() if len(means) == len(asked)}


def _fitted(
    bench: Bench,
    taught: Mapping[int, Said],
    recipes: Sequence[Recipe],
    share: float,
    seed: int,
    threads: int,
) -> Models:
    most = int(share * max(recipe.rows for recipe in recipes))
    past = gather(bench, taught, most, seed) if taught else None
    if past is None:
        return {}
    found = {}
    for recipe in recipes:
        names, values, start = _seen(past.rows, recipe)
        usable = categories(bench.panel)
        lessons = model.Lessons(values, names, usable, past.units, start, past.weight)
        fitted = model.fit(lessons, recipe, seed, threads)
        if fitted is not None:
            found[recipe.name] = fitted
    return found


def _seen(
    rows: Described, recipe: Recipe
) -> tuple[tuple[str, ...], NDArray[np.float32], Floats | None]:
    """Names and values of what a recipe looks at, and what it starts from."""
    start = np.log(np.maximum(rows.simple, LEAST_BASE)) if recipe.corrects else None
    return *rows.without(() if recipe.looks else rows.told), start


def _predicted(bench: Bench, recipes: Sequence[Recipe], models: Models) -> dict[str, Floats]:
    """(series, ahead) by recipe. Series that have hardly begun get the simple forecast."""
    said, ahead = bench.said, bench.panel.ahead
    origin = np.array([bench.panel.periods])
    simple = said.mean
    found = {name: simple.copy() for name in models}
    alive = begun(bench.panel, origin)[:, 0]
    for block in bench.blocks():
        rows = every(block.rows, origin, ahead)
        described = describe(block, rows, {said.origin: said}, bench.first)
        for recipe in recipes:
            if recipe.name in models:
                _, values, start = _seen(described, recipe)
                levels = models[recipe.name].predict(values, start)
                units = (levels * described.unit).reshape(-1, ahead)
                found[recipe.name][block.rows] = np.where(
                    alive[block.rows, np.newaxis], units, simple[block.rows]
                )
    # Where the simple forecast is 0, the series is dead or everything is shut.
    return {name: np.where(simple > 0, mean, 0.0) for name, mean in found.items()}
