"""Shelves that are refilled from the sales of the past, and run empty when demand is high.

No stock-out is drawn at random. The retailer orders up to what it expects to sell; where demand
beats that, the shelf is empty and the sales understate the demand. How far ahead the retailer
covers itself is found by bisection, so that the wanted share of days ends with an empty shelf.
"""

from dataclasses import dataclass

import numpy as np

from season.demand import Demand
from season.plan import Plan
from season.streams import stream

LEAD_DAYS = 3  # From order to shelf.
REVIEW_WEEKDAYS = (0, 3)  # Orders go out on Mondays and Thursdays.
MEMORY = 1 / 21  # Weight of the last day in the retailer's running mean of sales.
RETURN_DAYS = 7  # From sale to return.
MOST_COVER_DAYS = 200.0
BISECTIONS = 14


@dataclass(frozen=True, slots=True)
class Shelves:
    """Arrays of shape (days, series), whole units. closing = available - sold, every day."""

    available: np.ndarray  # On hand when the shop opens, deliveries and returns put away.
    sold: np.ndarray  # min(demand, available).
    returned: np.ndarray  # Brought back by customers; in `available` of the same day.
    received: np.ndarray  # Delivered; in `available` of the same day.

    @property
    def closing(self) -> np.ndarray:
        left: np.ndarray = self.available - self.sold
        return left


def run(plan: Plan, demand: Demand) -> Shelves:
    """Simulates the stock with the cover that meets the wanted share of stock-outs best."""
    low, high = 0.0, MOST_COVER_DAYS
    best = _with_cover(plan, demand, high)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        shelves = _with_cover(plan, demand, middle)
        if stock_out_share(shelves, demand) > plan.config.stock_out_share:
            low = middle
        else:
            high, best = middle, shelves
    return best


def stock_out_share(shelves: Shelves, demand: Demand) -> float:
    """Share of series-days on sale that end with an empty shelf."""
    return float((shelves.closing[demand.on_sale] == 0).mean())


def _with_cover(plan: Plan, demand: Demand, cover_days: float) -> Shelves:
    rng = stream(plan.config, "returns")
    shape = demand.units.shape
    available, sold, returned = (np.zeros(shape, np.int64) for _ in range(3))
    received = np.zeros((shape[0] + LEAD_DAYS, shape[1]), np.int64)
    on_hand, on_order = np.zeros(shape[1], np.int64), np.zeros(shape[1], np.int64)
    rate = demand.baseline.copy()
    launches = np.diff(demand.on_sale, axis=0, prepend=False) & demand.on_sale
    for day in range(shape[0]):
        if launches[day].any():
            received[day] += np.where(launches[day], _target(demand.baseline, cover_days), 0)
        if day >= RETURN_DAYS:
            returned[day] = rng.binomial(sold[day - RETURN_DAYS], plan.config.return_share)
        on_order = np.maximum(on_order - received[day], 0)
        on_hand = on_hand + received[day] + returned[day]
        available[day] = on_hand
        sold[day] = np.minimum(demand.units[day], on_hand)
        on_hand = on_hand - sold[day]
        rate = np.where(demand.on_sale[day], rate + MEMORY * (sold[day] - rate), rate)
        if plan.days[day].weekday() in REVIEW_WEEKDAYS:
            wanted = _target(rate, cover_days) - on_hand - on_order
            order = np.where(demand.on_sale[day], np.maximum(wanted, 0), 0)
            received[day + LEAD_DAYS] += order
            on_order = on_order + order
    return Shelves(available, sold, returned, received[: shape[0]])


def _target(rate: np.ndarray, cover_days: float) -> np.ndarray:
    """Units to have on hand and on order: the cover, and never less than one to show."""
    return np.maximum(np.ceil(rate * cover_days), 1).astype(np.int64)
