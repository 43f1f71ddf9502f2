"""What is kept of a fit so that one series can be forecast again under another plan.

Nothing is retrained: coefficients, level, season and the siblings' promotions stay as they were;
only the series' own known columns change. What they then do is told by `counted`, on the scale of
units; the forecast under the present plan stays what it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.forecast.engine.arrays import Booleans, Floats, Integers
from services.forecast.engine.promo import columns, recipe_text
from services.forecast.engine.promo import design as designs
from services.forecast.engine.promo.columns import Column, Kind
from services.forecast.engine.promo.components import PARTS, TREND, attributed, is_usual
from services.forecast.engine.promo.fit import PromoFit
from services.forecast.engine.promo.made import LOG_LIMIT
from services.forecast.engine.promo.terms import Recipe, Single, Usual, followed

Arrays = dict[str, NDArray[Any]]
SHARED = ("recipe", "weights", "shut")


@dataclass(frozen=True)
class PromoState:
    """Arrays of (series, ...), beside what all series share: `SHARED`."""

    recipe: Recipe
    weights: Floats  # (own terms,). Make up the strength of promotions.
    shut: Booleans  # (ahead,). Days that are shut for all.
    level: Floats  # (series,)
    drift: Floats  # (series, ahead). Logarithm by which the trend moves the level.
    own: Single  # (series, own terms + echoes). Coefficients of the forecast.
    moves: Single  # (series, own terms). Coefficients of what another plan changes.
    given: Single  # (series, parts, ahead). Effects that no plan of the series changes.
    planned: Floats  # (series, columns, ahead). Known columns as they were planned.
    usual: Floats  # (series, ratio columns, 2). Where their usual levels stand, and began.
    strength: Floats  # (series, 2). Of promotions: in the last period; in all, discounted.

    @property
    def ahead(self) -> int:
        return int(self.shut.size)

    @property
    def columns(self) -> tuple[str, ...]:
        """Known columns that the model uses, in the order of ``planned``."""
        return self.recipe.sources

    def means(self, row: int, known_future: Mapping[str, Floats]) -> Floats:
        """(ahead,). Expected units of series ``row`` when its known columns are these.

        A column that is not given stays as it was planned; one that the model does not use changes
        nothing.

        Raises:
            ValueError: a column is not of the shape (ahead,).
        """
        planned, known = self._known(row, {}), self._known(row, known_future)
        logs = self.given[row].sum(axis=0)
        if self.recipe.columns:
            logs = logs + self.own[row] @ self._regressors(row, planned)
        logs = logs.clip(-LOG_LIMIT, LOG_LIMIT) + self.drift[row]
        moved = self._moved(row, planned, known)
        return np.asarray(self.level[row] * np.exp(logs) * moved * self._open(known))

    def ratio(self, row: int, known_future: Mapping[str, Floats]) -> Floats:
        """(ahead,). Units of series ``row`` under such a plan by those under the present one.

        Exactly 1 where nothing changes; NaN where nothing was to be sold as planned.

        Raises:
            ValueError: a column is not of the shape (ahead,).
        """
        planned, known = self._known(row, {}), self._known(row, known_future)
        moved = self._moved(row, planned, known) * self._open(known)
        return np.where(self._open(planned), moved, np.nan)

    def components(self, row: int) -> dict[str, Floats]:
        """Parts of `means` under the present plan by `components.NAMES`, each (ahead,)."""
        known = self._known(row, {})
        effects = self.given[row].astype(np.float64)
        base = 0.0
        if self.recipe.columns:
            x = self._regressors(row, known)
            effects += self._parts @ (self.own[row][:, np.newaxis] * x)
            now = np.zeros(self.own.shape[1])
            now[self._usual_terms] = self.usual[row, :, 0] - self.usual[row, :, 1]
            base = float(self.own[row] @ now)
        named = {part: effect[np.newaxis] for part, effect in zip(PARTS, effects, strict=True)}
        named["price"] = named["price"] - base
        named[TREND] = self.drift[row : row + 1]
        found = attributed(self.level[row : row + 1], np.array([base]), named, self._open(known))
        return {name: values[0] for name, values in found.items()}

    def of(self, rows: Integers) -> "PromoState":
        """The state of some series."""
        per_series = {name: getattr(self, name)[rows] for name in _per_series()}
        return replace(self, **per_series)

    def arrays(self) -> Arrays:
        """All of it as plain arrays. Those not in `SHARED` have one row a series."""
        found: Arrays = {name: getattr(self, name) for name in ("weights", "shut", *_per_series())}
        return found | {"recipe": np.array(recipe_text.written(self.recipe))}

    @cached_property
    def _parts(self) -> Single:
        """(parts, own terms + echoes). 1 where a regressor belongs to a part."""
        named = [label.part for label in self.recipe.labels()] + ["promotion"] * designs.ECHOES
        return np.array([[part == name for name in named] for part in PARTS], np.float32)

    @cached_property
    def _usual_terms(self) -> list[int]:
        labels = self.recipe.labels()
        return [index for index, label in enumerate(labels) if is_usual(label.name)]

    @cached_property
    def _ratios(self) -> list[str]:
        return [column.name for column in followed_columns(self.recipe)]

    def _known(self, row: int, known_future: Mapping[str, Floats]) -> dict[str, Floats]:
        """Each (1, ahead): what is given, or else what was planned."""
        known = {}
        for index, name in enumerate(self.recipe.sources):
            given = known_future.get(name)
            values = self.planned[row, index] if given is None else np.asarray(given, np.float64)
            if values.shape != (self.ahead,):
                raise ValueError(f"{name}: {self.ahead} values are needed, one a period")
            known[name] = values[np.newaxis]
        return known

    def _open(self, known: Mapping[str, Floats]) -> Booleans:
        """(ahead,). Where the series is sold."""
        closed = columns.closed(known, self.recipe.closers)
        return ~self.shut if closed is None else ~(self.shut | closed[0])

    def _moved(
        self, row: int, planned: Mapping[str, Floats], known: Mapping[str, Floats]
    ) -> Floats:
        """(ahead,). What units are multiplied by when ``known`` comes instead of ``planned``."""
        if not self.recipe.columns:
            return np.ones(self.ahead)
        change = self._terms(row, known) - self._terms(row, planned)
        return np.asarray(np.exp((self.moves[row] @ change).clip(-LOG_LIMIT, LOG_LIMIT)))

    def _terms(self, row: int, known: Mapping[str, Floats]) -> Single:
        """(own terms, ahead)."""
        usual = {
            name: Usual(self.usual[row : row + 1, k, 0], self.usual[row : row + 1, k, 1])
            for k, name in enumerate(self._ratios)
        }
        planes, _ = self.recipe.planes(known, usual)
        return np.concatenate(planes)

    def _regressors(self, row: int, known: Mapping[str, Floats]) -> Single:
        """(own terms + echoes, ahead)."""
        own = self._terms(row, known)
        last, lasting = self.strength[row : row + 1].T
        strength = (self.weights @ own).astype(np.float32)
        echoes = designs.echoes(strength[np.newaxis], self.recipe.memory, last, lasting)
        return np.concatenate((own, *echoes))


def followed_columns(recipe: Recipe) -> list[Column]:
    """Columns whose usual level is followed."""
    return [column for column in recipe.columns if column.kind is Kind.RATIO and not column.over]


def _per_series() -> list[str]:
    return [each.name for each in fields(PromoState) if each.name not in SHARED]


def from_arrays(arrays: Arrays) -> PromoState:
    """The state that `PromoState.arrays` were taken from."""
    recipe = recipe_text.read(str(arrays["recipe"]))
    if "moves" not in arrays:  # Kept by a version in which the forecast's response was all.
        arrays = arrays | {"moves": np.asarray(arrays["own"])[:, : len(recipe.labels())]}
    values = {name: np.asarray(arrays[name]) for name in ("weights", "shut", *_per_series())}
    return PromoState(recipe=recipe, **values)


def state_of(fit: PromoFit) -> PromoState:
    """The state of all series of ``fit``."""
    design, past = fit.design, fit.origin - fit.first
    series, ahead = fit.drift.shape
    own = len(design.recipe.labels()) + (designs.ECHOES if design.weights is not None else 0)
    names = design.recipe.sources
    given = np.zeros((series, len(PARTS), ahead), np.float32)
    usual = np.zeros((series, len(followed_columns(design.recipe)), 2))
    strength = np.zeros((series, 2))
    for rows in design.blocks():
        x = fit.features(rows)
        for index in range(own, design.width):
            part = PARTS.index(design.labels[index].part)
            given[rows, part] += fit.coefficients[rows, index, np.newaxis] * x[:, index, past:]
        if own:
            usual[rows], strength[rows] = _stands(fit, rows)
    planned = [design.known[name][:, past : past + ahead].astype(np.float64) for name in names]
    return PromoState(
        design.recipe,
        np.zeros(0) if design.weights is None else design.weights,
        fit.shut,
        fit.level,
        fit.drift,
        fit.coefficients[:, :own],
        fit.counted.coefficients,
        given,
        np.stack(planned, axis=1) if names else np.zeros((series, 0, ahead)),
        usual,
        strength,
    )


def _stands(fit: PromoFit, rows: Integers) -> tuple[Floats, Floats]:
    """Usual levels and strength of promotions after the last column that was seen."""
    design, past = fit.design, fit.origin - fit.first
    known = {name: values[rows, :past] for name, values in design.known.items()}
    planes, after = design.recipe.planes(known)
    usual = np.zeros((rows.size, len(after), 2))
    for index, stand in enumerate(after.values()):
        usual[:, index] = np.stack((stand.mean, stand.first), axis=1)
    assert design.weights is not None  # noqa: S101  # There are own terms.
    strength = designs.weighted(planes, design.weights).astype(np.float64)
    _, lasting = followed(strength, design.recipe.memory, np.zeros(rows.size))
    return usual, np.stack((strength[:, -1], lasting), axis=1)
