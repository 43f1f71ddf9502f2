"""Whether intervals keep what they promise, overall and in every segment."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from services.forecast.engine.arrays import Booleans, Floats, Integers


class Coverage(NamedTuple):
    """Of one segment. NaN where nothing was recorded."""

    coverage: float  # Share of what happened inside the interval, both ends included.
    below: float  # Share under the lower end.
    above: float  # Share over the upper end.
    series: int  # With at least one record.
    records: int


def of(actual: Floats, low: Floats, high: Floats) -> Coverage:
    """Coverage of intervals, all of shape (series, ahead); NaN in ``actual`` does not count."""
    seen = ~np.isnan(actual)
    records = int(seen.sum())
    inside = float(((actual >= low) & (actual <= high)).sum())
    below = float((actual < low).sum())
    above = float((actual > high).sum())
    total = records or np.nan
    series = int(seen.any(axis=1).sum())
    return Coverage(inside / total, below / total, above / total, series, records)


def by_segment(
    actual: Floats, low: Floats, high: Floats, segments: Mapping[str, Integers]
) -> dict[str, dict[int, Coverage]]:
    """Coverage of each code of each of ``segments``.

    Args:
        actual: (series, ahead). NaN where nothing was recorded.
        low: (series, ahead). Lower ends.
        high: (series, ahead). Upper ends.
        segments: name to codes, (series, 1) or (series, ahead); a code below 0 is no segment.
    """
    found: dict[str, dict[int, Coverage]] = {}
    for name, codes in segments.items():
        wide = np.broadcast_to(codes, actual.shape)
        present = np.unique(wide[wide >= 0]).tolist()
        found[name] = {code: of(_only(actual, wide == code), low, high) for code in present}
    return found


def _only(actual: Floats, kept: Booleans) -> Floats:
    return np.where(kept, actual, np.nan)
