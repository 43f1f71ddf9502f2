"""Whether intervals keep what they promise, overall and in every segment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.forecast.engine.arrays import Booleans, Floats, Integers


@dataclass(frozen=True, slots=True)
class Coverage:
    """Counts of what happened, inside and outside of intervals; both ends are inside."""

    inside: int
    below: int
    above: int
    series: int  # With at least one record.

    @property
    def records(self) -> int:
        return self.inside + self.below + self.above

    @property
    def share(self) -> float:
        """Of records inside; NaN where there is none."""
        return self.inside / self.records if self.records else float("nan")


def of(actual: Floats, low: Floats, high: Floats) -> Coverage:
    """Coverage of intervals, all of shape (series, ahead); NaN in ``actual`` does not count."""
    seen = ~np.isnan(actual)
    below, above = int((actual < low).sum()), int((actual > high).sum())
    return Coverage(int(seen.sum()) - below - above, below, above, int(seen.any(axis=1).sum()))


def together(parts: Sequence[Coverage], *, same_series: bool) -> Coverage:
    """Sums of counts. Of the same series at several times, series count once."""
    counts = [(part.inside, part.below, part.above) for part in parts]
    inside, below, above = (sum(column) for column in zip(*counts, strict=True))
    series = [part.series for part in parts]
    return Coverage(inside, below, above, max(series) if same_series else sum(series))


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
