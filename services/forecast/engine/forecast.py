"""The engine's front door: a panel in, expected units and their quantiles out.

    forecast(panel, settings) -> Forecast

Every tier forecasts up to three past horizons that are held back from it. From these come each
segment's weights of the tiers, the held-back errors and the calibration of the intervals. What
counts in no segment need not forecast the future.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from services.forecast.engine import ensemble, tiers
from services.forecast.engine.arrays import Floats
from services.forecast.engine.boosted import Luck
from services.forecast.engine.effort import Effort
from services.forecast.engine.held import Held, hold
from services.forecast.engine.intervals import Calibration, calibrate
from services.forecast.engine.newborn import borrowed
from services.forecast.engine.origins import past_origins
from services.forecast.engine.panel import Panel
from services.forecast.engine.promo import Calendar, PromoFit, PromoTier
from services.forecast.engine.segments import Segments, segments


@dataclass(frozen=True, slots=True)
class Settings:
    """What a caller chooses. Two runs with equal settings on equal panels agree bit by bit."""

    effort: Effort = Effort.FULL
    seed: int = 0
    threads: int = 1  # Of LightGBM. Does not change the result.
    calendar: Calendar = field(default_factory=Calendar)  # Beyond the dates themselves.


DEFAULTS = Settings()


@dataclass(frozen=True, slots=True)
class Forecast:
    """What will sell, and how that came about.

    `mean` and the tiers' means are finite and not negative, for every series.
    """

    panel: Panel
    mean: Floats  # (series, ahead). Expected units.
    tiers: Mapping[str, Floats]  # The mean of each tier that was run, (series, ahead).
    weights: ensemble.Weights  # By segment.
    segments: Segments
    held: Sequence[Held]  # The weighted forecasts of past origins, ascending; may be empty.
    scores: Mapping[str, float]  # RMSSE on held-back periods by tier, and of `mean`; may be empty.
    calibration: Calibration
    response: PromoFit  # To what is known in advance: for what-if and explanations.

    def quantiles(self, levels: Sequence[float]) -> Floats:
        """(levels, series, ahead). What sales stay at or below with each level's probability.

        Args:
            levels: between 0 and 1, both excluded; ascending. The result ascends with them.
        """
        return self.calibration.quantiles(self.panel, self.mean, levels)


def forecast(panel: Panel, settings: Settings = DEFAULTS) -> Forecast:
    """Forecasts ``panel.ahead`` periods of every series of ``panel``.

    Works for any panel with at least one column of the past and one of the future: without
    covariates, with series of one record or none, with a single series.

    Raises:
        ValueError: the panel has no series, no past or no future, or no holidays are known for the
            calendar's country.
    """
    if not (panel.series and panel.periods and panel.ahead > 0):
        raise ValueError(f"{panel.series=}, {panel.periods=}, {panel.ahead=}: none may be 0")
    past = past_origins(panel)
    kinds = segments(panel)
    luck = Luck(settings.seed, settings.threads)
    simple = PromoTier(settings.calendar)
    runs = tiers.run(panel, past, kinds, settings.effort, luck, simple)
    mixed = borrowed(panel, [*past, panel.periods], runs.mixed(kinds.codes))
    combined = hold(panel, past, mixed[:-1])
    held = {name: hold(panel, past, each) for name, each in runs.past.items()}
    return Forecast(
        panel=panel,
        mean=mixed[-1],
        tiers=MappingProxyType(dict(runs.now)),
        weights=runs.weights,
        segments=kinds,
        held=combined,
        scores=MappingProxyType(
            ensemble.errors({**held, "mean": combined}, tiers.scales(panel, past))
        ),
        calibration=calibrate(panel, combined, luck if settings.effort is Effort.FULL else None),
        response=runs.response,
    )
