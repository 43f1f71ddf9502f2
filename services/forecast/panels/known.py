"""What is known in advance of each series: prices, promotions, events. Arrays alone: no database.

Columns are named for what they hold: `price`, `regular_price`, `promotion_<kind>` and
`discount_<kind>`, `event_<name>`, `closed`. A promotion or event that covers a part of a period
counts by its share of the days.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.forecast.domain.plans import EVERYTHING, Event, Promotion
from services.forecast.engine.arrays import Booleans, Floats, Integers
from services.forecast.fields import ALL_STORES
from services.forecast.panels.grid import Grid

MOST_KINDS = 6
"""Each kind costs two arrays of the panel's size. What is more seldom counts as `other`."""
MOST_EVENTS = 12
OTHER = "other"
NEAR = 0.02
"""Share of the regular price."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Which rows of a panel a store, an SKU or an attribute's value stands for."""

    codes: Mapping[str, Integers]  # By scope, the code of each row: (series,).
    meanings: Mapping[str, tuple[str, ...]]  # By scope, what the codes mean, ascending.

    @property
    def count(self) -> int:
        return int(self.codes["store"].size)

    def index(self, scope: str) -> dict[str, Integers]:
        """The rows of each target of ``scope``; of none, if there is no such scope."""
        if scope == EVERYTHING:
            return {"": np.arange(self.count)}
        if scope not in self.codes:
            return {}
        codes = self.codes[scope]
        order = np.argsort(codes, kind="stable")
        cuts = np.searchsorted(codes[order], np.arange(len(self.meanings[scope]) + 1))
        return {
            name: order[cuts[code] : cuts[code + 1]]
            for code, name in enumerate(self.meanings[scope])
        }


@dataclass(frozen=True, slots=True)
class Promoted:
    """Promotions of all kinds, (series, periods + ahead) each."""

    columns: dict[str, Floats]  # By name, as in `Panel.known`.
    off: Floats  # The deepest discount of any kind, by its share of the period.
    price: Floats  # The price set, NaN where none is.
    share: Floats  # Of the period at that price.
    on: Booleans  # Whether there is any promotion.


def promoted(promotions: Sequence[Promotion], rows: Rows, grid: Grid) -> Promoted:
    """Lays promotions out on the grid. Of several at once, the deepest of each kind counts."""
    shape = (rows.count, grid.periods + grid.ahead)
    kinds = _common((each.kind for each in promotions), MOST_KINDS)
    found = Promoted(
        {}, np.zeros(shape), np.full(shape, np.nan), np.zeros(shape), np.zeros(shape, np.bool_)
    )
    indexes: dict[str, dict[str, Integers]] = {}
    stores = rows.index("store")
    for each in promotions:
        index = indexes.setdefault(each.scope, {}) or rows.index(each.scope)
        indexes[each.scope] = index
        touched = index.get(each.target)
        begin, share = grid.shares(each.start_date, each.end_date)
        if touched is None or not share.size:
            continue
        if each.store != ALL_STORES:
            touched = np.intersect1d(touched, stores.get(each.store, touched[:0]))
        if touched.size:
            kind = each.kind if each.kind in kinds else OTHER
            _lay(
                found, kind, each, (touched[:, np.newaxis], slice(begin, begin + share.size)), share
            )
    return found


def _lay(
    found: Promoted,
    kind: str,
    promotion: Promotion,
    cells: tuple[Integers, slice],
    share: Floats,
) -> None:
    block = (cells[0][:, 0], cells[1])
    _deepen(found.columns, f"promotion_{kind}", found.off.shape, block, share)
    found.on[block] = True
    if promotion.price_micros is not None:
        found.price[block] = np.fmin(found.price[block], promotion.price_micros / 1e6)
        found.share[block] = np.maximum(found.share[block], share)
    elif promotion.discount_share:
        off = share * promotion.discount_share
        _deepen(found.columns, f"discount_{kind}", found.off.shape, block, off)
        found.off[block] = np.maximum(found.off[block], off)


def _deepen(
    columns: dict[str, Floats],
    name: str,
    shape: tuple[int, int],
    block: tuple[Integers, slice],
    values: Floats,
) -> None:
    plane = columns.setdefault(name, np.zeros(0))
    if not plane.size:
        plane = columns[name] = np.zeros(shape)
    plane[block] = np.maximum(plane[block], values)


def prices(
    gross_units: Floats, revenue: Floats, skus: Integers, plan: Promoted
) -> dict[str, Floats]:
    """The price of each period, and the regular one; none if no sale had a price.

    Where a series sold, its price is the mean of what was paid; else that of the SKU in other
    stores; else what is planned; else the last regular price, which is the last one outside of
    promotions. Before the first of them it is unknown, NaN. A price next to the regular one is that
    one: small differences are seen only where something sold, and would tell of it.

    Args:
        gross_units: (series, periods seen), returns not taken off.
        revenue: the same, of them.
        skus: (series,). The SKU of each series, from 0.
        plan: reaches over past and future.
    """
    if not revenue.any():
        return {}
    shape = plan.off.shape
    seen = np.full(shape, np.nan)
    seen[:, : revenue.shape[1]] = _paid(gross_units, revenue, skus)
    regular, price = np.full(shape, np.nan), seen
    last = np.full(shape[0], np.nan)
    for column in range(shape[1]):
        paid, on = seen[:, column], plan.on[:, column]
        paid = np.where(np.abs(paid - last) <= NEAR * last, last, paid)
        there = np.isfinite(paid)
        last = np.where(there & ~on, paid, last)
        # What began in the middle of a promotion has shown no regular price yet.
        full = paid / np.maximum(1 - plan.off[:, column], 0.05)
        last = np.where(there & on & np.isnan(last), np.maximum(full, paid), last)
        share, set_price = plan.share[:, column], plan.price[:, column]
        planned = np.where(
            np.isfinite(set_price),
            share * set_price + (1 - share) * last,
            last * (1 - plan.off[:, column]),
        )
        price[:, column] = np.where(there, paid, planned)
        regular[:, column] = last
    return {"price": price, "regular_price": regular}


def _paid(gross_units: Floats, revenue: Floats, skus: Integers) -> Floats:
    shape = (int(skus.max()) + 1, revenue.shape[1])
    units_of_sku, revenue_of_sku = np.zeros(shape), np.zeros(shape)
    np.add.at(units_of_sku, skus, gross_units)
    np.add.at(revenue_of_sku, skus, revenue)
    return np.where(
        revenue > 0,
        _ratio(revenue, gross_units),
        _ratio(revenue_of_sku, units_of_sku)[skus],
    )


def _ratio(revenue: Floats, units: Floats) -> Floats:
    """NaN where nothing was paid."""
    paid = revenue > 0
    return np.where(paid, revenue / np.where(paid, units, 1.0), np.nan)


def calendar(events: Sequence[Event], rows: Rows, grid: Grid) -> dict[str, Floats]:
    """Events and closed days. What holds in all stores is one row, seen as many."""
    names = _common((each.event for each in events if not each.closed), MOST_EVENTS)
    stores = {name: code for code, name in enumerate(rows.meanings["store"])}
    planes: dict[str, Floats] = {}
    for each in events:
        begin, share = grid.shares(each.start_date, each.end_date)
        if not share.size or each.store not in {*stores, ALL_STORES}:
            continue
        label = each.event if each.event in names else OTHER
        name = "closed" if each.closed else f"event_{label}"
        plane = planes.setdefault(name, np.zeros((len(stores), grid.periods + grid.ahead)))
        block = slice(None) if each.store == ALL_STORES else slice(*_one(stores[each.store]))
        columns = slice(begin, begin + share.size)
        # Several in one period add up, to all of it at most.
        plane[block, columns] = np.minimum(plane[block, columns] + share, 1.0)
    return {name: _spread(plane, rows) for name, plane in sorted(planes.items())}


def _one(code: int) -> tuple[int, int]:
    return code, code + 1


def _spread(plane: Floats, rows: Rows) -> Floats:
    if (plane == plane[:1]).all():
        return np.broadcast_to(plane[0], (rows.count, plane.shape[1]))
    return plane[rows.codes["store"]]


def _common(names: Iterable[str], most: int) -> set[str]:
    counts = Counter(names)
    ranked = sorted(counts, key=lambda name: (-counts[name], name))
    return set(ranked if len(ranked) <= most else ranked[: most - 1])
