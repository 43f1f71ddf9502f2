"""Units of many series on one calendar, and what is known beside them, as arrays.

Shapes are written as (series, periods): one row a series, time to the right.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from services.forecast.engine.arrays import Dates, Floats, Integers
from services.forecast.engine.period import Period

NOTHING: Mapping[str, Floats] = MappingProxyType({})
NO_CODES: Mapping[str, Integers] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Panel:
    """What sold until the last column of ``units``, and what is known in advance after it.

    ``units`` is NaN before a series begins and wherever nothing was recorded; 0 means that nothing
    sold. Negative units (more came back than went) are the reader's to settle: none are left here.
    """

    period: Period
    dates: Dates  # (periods + ahead,). The date of each column, the future's included.
    units: Floats  # (series, periods). Not negative, or NaN.
    known: Mapping[str, Floats] = field(  # Each (series, periods + ahead), or NaN.
        default_factory=lambda: NOTHING
    )
    static: Mapping[str, Integers] = field(  # Each (series,): codes from 0.
        default_factory=lambda: NO_CODES
    )
    exposure: Floats | None = None  # (series, periods). Share of the period on the shelf, 0 to 1.
    weights: Floats | None = None  # (series,). Revenue of the recent past, for weighted figures.

    @property
    def series(self) -> int:
        return int(self.units.shape[0])

    @property
    def periods(self) -> int:
        """Columns of the past."""
        return int(self.units.shape[1])

    @property
    def ahead(self) -> int:
        """Columns of the future: what is to be forecast."""
        return int(self.dates.size) - self.periods

    def until(self, origin: int, ahead: int) -> "Panel":
        """The panel as it was known after its first ``origin`` columns, with ``ahead`` to forecast.

        Everything else that lies later is cut off: there is nothing left to look at by mistake.
        """
        stop = origin + ahead
        return replace(
            self,
            dates=self.dates[:stop],
            units=self.units[:, :origin],
            known={name: values[:, :stop] for name, values in self.known.items()},
            exposure=None if self.exposure is None else self.exposure[:, :origin],
        )

    def of(self, rows: Integers) -> "Panel":
        """The panel of some of its series, in the order of ``rows``."""
        return replace(
            self,
            units=self.units[rows],
            known={name: values[rows] for name, values in self.known.items()},
            static={name: codes[rows] for name, codes in self.static.items()},
            exposure=None if self.exposure is None else self.exposure[rows],
            weights=None if self.weights is None else self.weights[rows],
        )

    def starts(self) -> Integers:
        """(series,). The column of each series' first record; ``periods`` if there is none."""
        seen = ~np.isnan(self.units)
        return np.where(seen.any(axis=1), seen.argmax(axis=1), self.periods).astype(np.int64)

    def lives(self) -> Integers:
        """(series,). Columns from a series' first record to the end of the past."""
        return self.periods - self.starts()
