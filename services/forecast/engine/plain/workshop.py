"""Makes candidates' forecasts from any origin, and keeps what it made."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from services.forecast.engine.arrays import Booleans, Floats
from services.forecast.engine.panel import Panel
from services.forecast.engine.plain import candidates
from services.forecast.engine.plain.candidates import Key
from services.forecast.engine.plain.lags import Coefficients, fit_lags
from services.forecast.engine.plain.levels import levels
from services.forecast.engine.plain.observed import Observed
from services.forecast.engine.plain.seasons import Learned, learn, multipliers
from services.forecast.engine.plain.smoothing import Grid
from services.forecast.engine.scales import rms_steps

FALLBACK = np.array([0.5 ** (1 / 8)])  # Discount, where a regression has too little to learn from.
RECENT = 1024  # Periods that levels and regressions read; calendars read all.


@dataclass(frozen=True, slots=True)
class Workshop:
    """Some series of a panel, and what a sample of it taught about calendars."""

    panel: Panel
    ahead: int
    grid: Grid
    lessons: dict[int, Learned]  # By origin. Filled by the sample, read by the others.
    coefficients: dict[tuple[int, Key], Coefficients | None]  # As the lessons.
    made: dict[tuple[int, Key], Floats] = field(default_factory=dict)
    seen: dict[int, Observed] = field(default_factory=dict)

    @staticmethod
    def of_sample(panel: Panel, ahead: int, grid: Grid) -> "Workshop":
        return Workshop(panel, ahead, grid, {}, {})

    def for_others(self, panel: Panel) -> "Workshop":
        return Workshop(panel, self.ahead, self.grid, self.lessons, self.coefficients)

    def observed(self, origin: int) -> Observed:
        if origin not in self.seen:
            self.seen[origin] = Observed.of(self.panel.until(origin, 0))
        return self.seen[origin]

    def learned(self, origin: int) -> Learned:
        if origin not in self.lessons:
            dates = self.panel.dates[: origin + self.ahead]
            self.lessons[origin] = learn(self.observed(origin), dates, self.panel.period)
        return self.lessons[origin]

    def forecasts(self, origin: int, keys: Sequence[Key]) -> Floats:
        """(keys, ahead, series)."""
        missing: dict[str, list[str]] = {}
        for profile, model in keys:
            if (origin, (profile, model)) not in self.made:
                missing.setdefault(profile, []).append(model)
        self._make(origin, missing)
        return np.stack([self.made[origin, key] for key in keys])

    def _make(self, origin: int, missing: dict[str, list[str]]) -> None:
        if not missing:
            return
        observed, learned = self.observed(origin), self.learned(origin)
        found = multipliers(observed, learned, self.ahead, missing)
        recent = observed.latest(RECENT)
        for name, models in missing.items():
            if (name, *models) == candidates.REPEAT:
                season = self.panel.period.season
                made = {models[0]: candidates.repeated(observed, season, self.ahead)}
            else:
                profile = found[name][-(recent.units.shape[0] + self.ahead) :]
                made = candidates.under(recent, profile, models, self.grid)
                for model in set(models) & set(candidates.REGRESSIONS):
                    made[model] = self._regressed(recent, profile, (origin, (name, model)))
            self.made.update({(origin, (name, model)): each for model, each in made.items()})

    def _regressed(self, observed: Observed, profile: Floats, at: tuple[int, Key]) -> Floats:
        periods = observed.units.shape[0]
        rates, known = candidates.rates(observed, profile, candidates.REGRESSIONS[at[1][1]])
        if at not in self.coefficients:
            self.coefficients[at] = fit_lags(rates, known, self.ahead, self.panel.period)
        fitted = self.coefficients[at]
        if fitted is None:
            exposed = observed.weight * profile[:periods]
            return levels(observed.units, exposed, FALLBACK) * profile[periods:]
        return fitted.forecast(rates, known) * profile[periods:]

    def errors(self, origin: int, keys: Sequence[Key], end: int) -> tuple[Floats, Booleans]:
        """(keys, periods, series), 0 where unknown, and where known: (periods, series).

        Nothing from column ``end`` on is read, nor of a series that had not begun at the origin.
        """
        made = self.forecasts(origin, keys)
        stop = min(origin + self.ahead, end)
        actual = self.panel.units[:, origin:stop].T
        known = np.isfinite(actual) & (self.panel.starts() < origin)
        made = made[:, : actual.shape[0]]
        if self.panel.exposure is not None:
            share = np.clip(np.nan_to_num(self.panel.exposure[:, origin:stop].T, nan=1.0), 0.0, 1.0)
            known &= share > 0
            made = made * share
        return np.where(known, made - actual, 0.0), known

    def scales(self, origin: int) -> Floats:
        """(series,). The scale of RMSSE; NaN where it has none."""
        return rms_steps(self.panel.units[:, :origin])
