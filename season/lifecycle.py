"""Rise, peak and fade of each style."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from season.calendar import DAYS_PER_YEAR
from season.catalog import Catalog
from season.config import SeasonConfig
from season.streams import stream

CORE_SHARE = 0.45  # Of the styles: sold all year round.
NEWCOMER_SHARE = 0.15  # Launched in the last weeks: what a forecast knows little about.
LEAD_DAYS = 75  # A seasonal style comes this long before its category's peak.
NO_END = 10**6


@dataclass(frozen=True, slots=True)
class Life:
    """When a style is sold, in days from the first day simulated; may begin before it."""

    launch_day: int
    end_day: int  # The first day on which it is no longer sold.
    rise_days: float  # Time constant from launch to full demand.
    peak_days: float  # Age at which it begins to fade.
    fade_days: float  # Time constant of the fade.


def lives(config: SeasonConfig, catalog: Catalog, days: tuple[date, ...]) -> tuple[Life, ...]:
    """One life for each style. Which styles are core or new is drawn, their number is not."""
    rng = stream(config, "lives")
    order = rng.permutation(len(catalog.styles))
    core = round(CORE_SHARE * len(order))
    newcomers = round(NEWCOMER_SHARE * len(order))
    found = {}
    for rank, style in enumerate(order):
        if rank < core or len(order) == 1:
            found[style] = Life(-NO_END, NO_END, 1.0, float(NO_END), float(NO_END))
        elif rank < core + newcomers:
            found[style] = _newcomer(config, rng)
        else:
            found[style] = _seasonal(catalog.styles[style].category.peak_day, days, rng)
    return tuple(found[style] for style in range(len(order)))


def curve(life: Life, days: int) -> np.ndarray:
    """Demand against the height of the life, 0 to 1, shape (days,). 0 when not on sale."""
    age = np.arange(days) - life.launch_day
    rise = 1 - 0.8 * np.exp(-np.maximum(age, 0) / life.rise_days)
    fade = np.exp(-np.maximum(age - life.peak_days, 0) / life.fade_days)
    return np.where(on_sale(life, days), rise * fade, 0.0)


def on_sale(life: Life, days: int) -> np.ndarray:
    """Shape (days,), bool."""
    day = np.arange(days)
    return (day >= life.launch_day) & (day < life.end_day)


def _newcomer(config: SeasonConfig, rng: np.random.Generator) -> Life:
    earliest, latest = min(84, config.days), min(21, config.days)
    launch = config.days - int(rng.integers(latest, earliest + 1))
    return Life(launch, launch + 210, rng.uniform(10, 30), 90.0, 40.0)


def _seasonal(peak_day: int, days: tuple[date, ...], rng: np.random.Generator) -> Life:
    """Launched before the peak of its category, in one of the years that the window touches."""
    first = days[0].timetuple().tm_yday - 1
    length = int(rng.integers(150, 200))
    to_launch = (peak_day - LEAD_DAYS + int(rng.integers(-20, 21)) - first) % DAYS_PER_YEAR
    starts = np.arange(to_launch - DAYS_PER_YEAR, len(days), DAYS_PER_YEAR)
    # At least four weeks of the life must lie inside of the window.
    fitting = starts[(starts + length >= 28) & (starts <= len(days) - 28)]  # noqa: PLR2004 - as said
    launch = int(rng.choice(fitting)) if len(fitting) else 0
    return Life(
        launch, launch + length, rng.uniform(8, 20), rng.uniform(60, 100), rng.uniform(30, 60)
    )
