"""Sales that everyone waits for, and markdowns of what must go."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from season.catalog import Catalog
from season.config import SeasonConfig
from season.lifecycle import NO_END, Life
from season.streams import stream

MARKDOWN_DAYS = 35  # Before the end of a style's life.
MARKDOWN = 0.4


@dataclass(frozen=True, slots=True)
class Promotion:
    """A lower price of one style in all stores. Both days are included."""

    style: str
    start_date: date
    end_date: date
    discount: float  # 0.3 is 30 % off.
    uplift: float  # Demand during the promotion against demand without it.


@dataclass(frozen=True, slots=True)
class Event:
    """A sale that comes every year."""

    month: int
    day: int
    length_days: int
    discounts: tuple[float, ...]
    share: float  # Of the styles that take part.


EVENTS = (
    Event(1, 3, 18, (0.3, 0.4, 0.5), 0.5),
    Event(3, 28, 9, (0.2, 0.25), 0.35),
    Event(6, 24, 21, (0.3, 0.4, 0.5), 0.5),
    Event(10, 2, 9, (0.2, 0.25), 0.35),
    Event(11, 24, 7, (0.2, 0.3), 0.6),
)


def plan(
    config: SeasonConfig, catalog: Catalog, lives: tuple[Life, ...], days: tuple[date, ...]
) -> tuple[Promotion, ...]:
    """Promotions that touch the season, by style and start. Those of one style may overlap."""
    rng = stream(config, "promotions")
    elasticity = rng.uniform(1.4, 2.4, len(catalog.styles))
    found: list[tuple[int, date, date, float]] = []
    for year in range(days[0].year - 1, days[-1].year + 1):
        for event in EVENTS:
            start = date(year, event.month, event.day)
            end = start + timedelta(days=event.length_days - 1)
            joins = rng.random(len(catalog.styles)) < event.share
            discounts = rng.choice(event.discounts, len(catalog.styles))
            joining = np.flatnonzero(joins).tolist()
            found += [(style, start, end, float(discounts[style])) for style in joining]
    found += _markdowns(lives, days)
    return tuple(
        Promotion(catalog.styles[i].name, start, end, off, float((1 - off) ** -elasticity[i]))
        for i, start, end, off in sorted(found)
        if _touches(start, end, lives[i], days)
    )


def _markdowns(
    lives: tuple[Life, ...], days: tuple[date, ...]
) -> list[tuple[int, date, date, float]]:
    """The clearance of each style that ends: style, first day, last day, discount."""
    found = []
    for style, life in enumerate(lives):
        if life.end_day < NO_END:
            end = days[0] + timedelta(days=life.end_day - 1)
            found.append((style, end - timedelta(days=MARKDOWN_DAYS - 1), end, MARKDOWN))
    return found


def _touches(start: date, end: date, life: Life, days: tuple[date, ...]) -> bool:
    """Whether the style is on sale on some day of the promotion and the season."""
    first = max((start - days[0]).days, life.launch_day, 0)
    last = min((end - days[0]).days, life.end_day - 1, len(days) - 1)
    return first <= last


def effects(
    promotions: tuple[Promotion, ...], catalog: Catalog, days: tuple[date, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Uplift and discount, shape (days, styles). Of promotions that overlap, the deepest holds."""
    index = {style.name: i for i, style in enumerate(catalog.styles)}
    uplift = np.ones((len(days), len(index)))
    discount = np.zeros_like(uplift)
    for promotion in promotions:
        first = max((promotion.start_date - days[0]).days, 0)
        past = (promotion.end_date - days[0]).days + 1
        cells = (slice(first, past), index[promotion.style])
        uplift[cells] = np.maximum(uplift[cells], promotion.uplift)
        discount[cells] = np.maximum(discount[cells], promotion.discount)
    return uplift, discount
