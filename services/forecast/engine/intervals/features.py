"""What the spread of a forecast may depend on, as far as it was known when it was made."""

import numpy as np

from services.forecast.engine.arrays import Floats
from services.forecast.engine.panel import Panel

NAMES = (
    "one",
    "size",
    "noise",
    "level",
    "drift",
    "calm",
    "rise",
    "step",
    "zeros",
    "bend",
    "unusual",
)
UNUSUAL = NAMES.index("unusual")
APART = 1.0  # Standard deviations from which on a plan is unusual.
SEASONS = 2  # Of history that count.
MOST_UNUSUAL = 4.0  # Standard deviations.
LEAST = 1e-3  # Of a usual sale: what is less counts as that much.


def usual(panel: Panel) -> float:
    """Units of a usual sale on this panel: what sizes are measured in, so that no unit matters."""
    sold = panel.units[panel.units > 0]
    return float(np.median(sold)) if sold.size else 1.0


def describe(panel: Panel, mean: Floats, unit: float) -> Floats:
    """One vector a forecast, (series, ahead, NAMES).

    Args:
        panel: what the forecast had seen.
        mean: (series, ahead).
        unit: what `usual` says of the panel that was learned from.
    """
    season = panel.period.season
    past = panel.units[:, -SEASONS * season :]
    recent = panel.units[:, -max(season // 4, 6) :]
    level = mean_of(past, np.zeros(panel.series))
    noise = mean_of(np.abs(np.diff(past, axis=1)), level)
    late = mean_of(recent, level)
    unrest = mean_of(np.abs(np.diff(recent, axis=1)), noise)
    zeros = mean_of(np.where(np.isnan(past), np.nan, past == 0), np.ones(panel.series))
    size, level, noise, late, unrest = (
        np.log(np.maximum(each / unit, LEAST)) for each in (mean, level, noise, late, unrest)
    )
    sold = np.nansum(past, axis=1) > 0
    if sold.any():
        # What never sold is forecast by its kin, and scatters as what sells as much usually does.
        level[~sold] = size[~sold].mean(axis=1)
        late[~sold] = level[~sold]
        noise[~sold] = level[~sold] + np.median((noise - level)[sold])
        unrest[~sold] = noise[~sold]
        zeros[~sold] = np.median(zeros[sold])
    rise = size - level[:, np.newaxis]
    of_series = [noise - level, level, late - level, unrest - noise]
    columns = [np.ones(mean.shape), size, *(each[:, np.newaxis] for each in of_series)]
    columns += [np.maximum(rise, 0.0), np.log(np.arange(1, mean.shape[1] + 1))]
    columns += [zeros[:, np.newaxis], np.log1p(mean / unit)]
    columns += [unusual(panel)[:, : mean.shape[1]]]
    return np.stack([np.broadcast_to(each, mean.shape) for each in columns], axis=-1)


def unusual(panel: Panel) -> Floats:
    """How far what is known of the future is from the series' usual, (series, ahead).

    In standard deviations over the panel, of the column that is furthest: a promotion, a price cut.
    """
    found = np.zeros((panel.series, panel.ahead))
    for values in panel.known.values():
        past = values[:, : panel.periods]
        seen = ~np.isnan(past)
        if not seen.any():
            continue
        usual = np.nan_to_num(_median(past))[:, np.newaxis]
        deviation = float(np.sqrt(np.mean((past - usual)[seen] ** 2)))
        if deviation > 0:
            off = np.nan_to_num(np.abs(values[:, panel.periods :] - usual)) / deviation
            found = np.maximum(found, np.minimum(off, MOST_UNUSUAL))
    return found


def _median(values: Floats) -> Floats:
    """Of the known ``values`` of each row; NaN where there is none."""
    ordered = np.sort(values, axis=1)  # NaN last.
    middle = np.maximum((~np.isnan(values)).sum(axis=1) - 1, 0) // 2
    return np.asarray(np.take_along_axis(ordered, middle[:, np.newaxis], axis=1)[:, 0])


def mean_of(values: Floats, otherwise: Floats) -> Floats:
    """Mean of the known ``values`` of each row; ``otherwise`` where there is none."""
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), otherwise)
