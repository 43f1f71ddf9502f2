"""Panels to forecast."""

from datetime import date

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from services.forecast.panel import Floats, Panel

MONDAY = date(2026, 3, 2)


def panel(units: Floats, stores: list[int] | None = None, first_date: date = MONDAY) -> Panel:
    numbered = [0] * units.shape[1] if stores is None else stores
    return Panel(
        first_date, np.asarray(units, dtype=np.float64), np.array(numbered, dtype=np.int64)
    )


def poisson(means: Floats, days: int, seed: int = 1) -> Floats:
    """(days, series). Independent Poisson sales."""
    random = np.random.default_rng(seed)
    return random.poisson(np.broadcast_to(means, (days, len(means)))).astype(np.float64)


@st.composite
def panels(draw: st.DrawFn, most_days: int = 70) -> Panel:
    """Any sales at all: mostly none, few, or absurdly many."""
    days = draw(st.integers(1, most_days))
    series = draw(st.integers(1, 4))
    counts = st.one_of(st.just(0), st.just(0), st.integers(0, 5), st.integers(0, 10**12))
    units = draw(
        arrays.arrays(np.float64, (days, series), elements=counts.map(float), fill=st.just(0.0))
    )
    stores = draw(st.lists(st.integers(0, 1), min_size=series, max_size=series))
    return panel(units, stores, draw(st.dates(date(2000, 1, 1), date(2030, 1, 1))))
