"""Whether shifted distributions would have been better: pinball loss at past origins.

Only the newest origin is judged as the future will be, by models of what came before it; earlier
ones were also told of what came after. So both it and the mean of all have to gain.
"""

import numpy as np

from services.forecast.engine.arrays import Floats
from services.forecast.engine.intervals import family
from services.forecast.engine.intervals.boosted import moved
from services.forecast.engine.intervals.records import Records

SHARES = (0.25, 0.5)
LEVELS = np.array([0.1, 0.5, 0.9])
LEAST_GAIN = 0.002  # Of the loss: less may be luck.
MOST_RECORDS = 200_000
TINY = 1e-12


def share(records: Records, shift: Floats, scale: Floats, *, counted: bool) -> float:
    """The share of ``shift`` that gained most; 0 if none did.

    Args:
        records: of past origins.
        shift: (records,). Of normal scores, by models of the other origins.
        scale: (records,). What losses are divided by; NaN where a record does not count.
        counted: whether units are whole numbers.
    """
    every = -(-scale.size // MOST_RECORDS)
    kept = np.isfinite(scale) & (np.arange(scale.size) % every == 0)
    judged, origins = records.of(kept), np.unique(records.origin)
    if np.unique(judged.origin).size < origins.size:
        return 0.0

    def losses(part: float) -> Floats:
        loss = _loss(judged, part * shift[kept], counted=counted) / scale[kept]
        return np.array([loss[judged.origin == each].mean() for each in origins])

    best, chosen, without = 1.0 - LEAST_GAIN, 0.0, losses(0.0)
    for each in SHARES:
        ratios = losses(each) / np.maximum(without, TINY)
        worse = float(max(ratios[-1], ratios.mean()))
        if worse < best:
            best, chosen = worse, each
    return chosen


def _loss(records: Records, shift: Floats, *, counted: bool) -> Floats:
    """Pinball loss of each record, (records,), were its distribution shifted."""
    learned = records.recalibrated(shift)
    places = moved(learned.places(np.log(records.mean), LEVELS, records.apart), shift)
    found = family.quantiles(places, records.mean, records.deviation, counted=counted)
    over, level = found - records.units, LEVELS[:, np.newaxis]
    return np.asarray(np.maximum(over * (1.0 - level), -over * level).mean(axis=0))
