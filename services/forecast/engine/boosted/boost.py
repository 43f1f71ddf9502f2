"""Fits boosted models on forecasts of the past, and forecasts with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Floats
from services.forecast.engine.boosted import model
from services.forecast.engine.boosted.bench import Bench, lay
from services.forecast.engine.boosted.features import YEAR, Layout
from services.forecast.engine.boosted.lessons import begun, describe, gather
from services.forecast.engine.boosted.recipe import Recipe
from services.forecast.engine.boosted.rows import every
from services.forecast.engine.boosted.said import Said
from services.forecast.engine.panel import Panel

INNER_SHARE = 0.5  # Of the rows: what the models that only forecast past origins learn from.
DENSE = 48  # Origins that a model learns from which does not look at the simple tier.

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
) -> dict[str, list[Floats]]:
    """Each recipe's forecasts, (series, ahead), from each origin that is ``asked`` about.

    Two fits of each at most: what lies before the earliest origin teaches the models of all but the
    last, the whole past those of the last. A recipe with too little to learn from is left out.

    Args:
        panel: the past up to the last origin, and what is known of its future.
        taught: by origin, what the simple tier said there: the forecasts to learn from.
        asked: ascending. What the simple tier said from the origins to forecast from.
        recipes: the models to fit.
        luck: seed and threads.
    """
    found: dict[str, list[Floats]] = {recipe.name: [] for recipe in recipes}
    models: Models = {}
    layout = Layout.of(panel.until(asked[0].origin, panel.ahead))
    earliest = _earliest(panel)
    for number, said in enumerate(asked):
        bench = lay(panel, said, min([*taught, earliest]), layout)
        last = number == len(asked) - 1
        if number == 0 or last:
            known = {origin: each for origin, each in taught.items() if origin < said.origin}
            models = _fitted(bench, known, earliest, recipes, 1.0 if last else INNER_SHARE, luck)
        for name, mean in _predicted(bench, recipes, models).items():
            found[name].append(mean)
    return {name: means for name, means in found.items() if len(means) == len(asked)}


def _fitted(
    bench: Bench,
    taught: Mapping[int, Said],
    earliest: int,
    recipes: Sequence[Recipe],
    share: float,
    luck: Luck,
) -> Models:
    found: dict[str, model.Model] = {}
    dense = _dense(earliest, bench.first + bench.panel.periods)
    for recipe in recipes:
        origins = sorted(taught) if recipe.looks else dense
        most = int(share * recipe.rows)
        past = gather(bench, origins, taught if recipe.looks else None, most, luck.seed)
        if past is None:
            continue
        lessons = model.Lessons(
            past.rows.values, past.rows.names, bench.layout.categories, past.units, past.weight
        )
        fitted = model.fit(lessons, recipe, luck.seed, luck.threads)
        if fitted is not None:
            found[recipe.name] = fitted
    return found


def _earliest(panel: Panel) -> int:
    """The earliest origin that a model learns from: two years back, or a third into the past."""
    return max(panel.periods // 3, panel.periods - 2 * YEAR[panel.period], 1)


def _dense(first: int, stop: int) -> list[int]:
    """Up to ``DENSE`` origins, evenly apart, from the earliest to one period before the end."""
    count = min(DENSE, max(stop - first, 0))
    return sorted({int(origin) for origin in np.linspace(first, stop - 1, count)})


def _predicted(bench: Bench, recipes: Sequence[Recipe], models: Models) -> dict[str, Floats]:
    """(series, ahead) by recipe. Series that have hardly begun get the simple forecast."""
    said, ahead = bench.said, bench.panel.ahead
    origin = np.array([bench.panel.periods])
    simple = said.mean
    found = {name: simple.copy() for name in models}
    alive = begun(bench.panel, origin)[:, 0]
    for block in bench.blocks():
        rows = every(block.rows, origin, ahead)
        for recipe in recipes:
            if recipe.name in models:
                heard = {said.origin: said} if recipe.looks else None
                described = describe(block, rows, heard, bench.first)
                levels = models[recipe.name].predict(described.values)
                units = (levels * described.unit).reshape(-1, ahead)
                found[recipe.name][block.rows] = np.where(
                    alive[block.rows, np.newaxis], units, simple[block.rows]
                )
    # Where the simple forecast is 0, the series is dead or everything is shut.
    return {name: np.where(simple > 0, mean, 0.0) for name, mean in found.items()}
