"""Expects the sales of a new product from a history that was read. Arrays alone: no database."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from services.forecast.answers.sizes import split
from services.forecast.domain.cold_start import (
    MOST_ANALOGUES,
    Analogue,
    AnalogueNotFound,
    Expected,
    NewProduct,
    StoreForecast,
    StoreNotFound,
)
from services.forecast.domain.forecasts import NoSales
from services.forecast.engine.arrays import Dates, Integers
from services.forecast.engine.cold_start import estimate
from services.forecast.engine.panel import Panel
from services.forecast.engine.trends.index import add_up
from services.forecast.panels.read import OF_STORE, Read

PRODUCT, STORE = "product", "store"
OF_SKU = ("sku", "size")
"""What differs within a product."""
YEAR_WEEKS = 52
LEVELS = (0.1, 0.5, 0.9)
UNKNOWN = -1


def expect(read: Read, wanted: NewProduct) -> Expected:
    """Forecasts a new product in each store.

    Raises:
        NoSales: no store is named, and none sold anything within the year.
        StoreNotFound: a store that is named never sold.
        AnalogueNotFound: a product that is named never sold.
        SizeNotFound: none of the analogues comes in a size that is named.
    """
    panel, names = _of_products(read), read.names.static
    stores = _stores(panel, names[STORE], wanted.stores)
    newcomers = {name: _codes(panel, name, names[name], wanted, stores) for name in panel.static}
    given = _given(names[PRODUCT], wanted.analogues)
    # The panel ends where its future begins: as many new columns as weeks are asked for.
    longer = replace(panel, dates=_dates(panel, wanted.weeks))
    found = estimate(longer, newcomers, wanted.weeks, PRODUCT, given)
    from scipy.stats import nbinom  # Half a second, and only this question needs it.

    totals = found.mean.sum(axis=1)
    spread = found.rates.shape
    p10, p50, p90 = (nbinom.ppf(level, spread, spread / (spread + totals)) for level in LEVELS)
    forecasts = [
        StoreForecast(
            store=names[STORE][store],
            mean=float(totals[row]),
            p10=float(p10[row]),
            p50=float(p50[row]),
            p90=float(p90[row]),
            weekly=tuple(found.mean[row].tolist()),
        )
        for row, store in enumerate(stores)
    ]
    compared = zip(found.analogues.items.tolist(), found.analogues.weights.tolist(), strict=True)
    weights = dict(compared)
    sizes = split(read, weights, wanted.sizes)
    return Expected(forecasts, _analogues(panel, names, wanted, weights), sizes)


def _of_products(read: Read) -> Panel:
    """The panel with one row a product and store: sizes of a product are added up."""
    panel = read.panel
    products = len(read.names.static[PRODUCT])
    keys = panel.static[STORE] * products + panel.static[PRODUCT]
    _, first, rows = np.unique(keys, return_index=True, return_inverse=True)
    known = (~np.isnan(panel.units)).astype(np.float64)
    units, seen = (add_up(each, rows, first.size) for each in (np.nan_to_num(panel.units), known))
    static = {name: codes[first] for name, codes in panel.static.items() if name not in OF_SKU}
    return Panel(
        panel.period,
        panel.dates,
        np.where(seen > 0, units, np.nan),
        static=static,
        exposure=None
        if panel.exposure is None
        else add_up(known * panel.exposure, rows, first.size) / np.maximum(seen, 1),
    )


def _dates(panel: Panel, weeks: int) -> Dates:
    return panel.period.dates(panel.dates[0], panel.periods + weeks)


def _stores(panel: Panel, names: Sequence[str], wanted: Sequence[str]) -> Integers:
    """Codes of the stores asked for, or of those that sold within the year."""
    if wanted:
        codes = {name: code for code, name in enumerate(names)}
        for store in wanted:
            if store not in codes:
                raise StoreNotFound("There are no sales in one of the stores.", store=store)
        return np.array([codes[store] for store in wanted], dtype=np.int64)
    sold = np.nansum(panel.units[:, -YEAR_WEEKS:], axis=1) > 0
    if not sold.any():
        raise NoSales("No store sold anything within the last year. Import newer sales.")
    return np.unique(panel.static[STORE][sold])


def _codes(
    panel: Panel, name: str, meanings: Sequence[str], wanted: NewProduct, stores: Integers
) -> Integers:
    """(stores,). What a static column says of the new product in each store."""
    if name == STORE:
        return stores
    if name.startswith(OF_STORE):
        of_store = dict(zip(panel.static[STORE].tolist(), panel.static[name].tolist(), strict=True))
        return np.array([of_store.get(store, UNKNOWN) for store in stores.tolist()])
    value = dict(wanted.attributes).get(name)
    code = meanings.index(value) if value in meanings else UNKNOWN
    return np.full(stores.size, code, dtype=np.int64)


def _given(
    products: Sequence[str], analogues: Sequence[tuple[str, float]]
) -> dict[int, float] | None:
    if not analogues:
        return None
    codes = {name: code for code, name in enumerate(products)}
    for product, _ in analogues:
        if product not in codes:
            raise AnalogueNotFound("One of the analogues never sold.", product=product)
    return {codes[product]: weight for product, weight in analogues}


def _analogues(
    panel: Panel,
    names: Mapping[str, Sequence[str]],
    wanted: NewProduct,
    compared: Mapping[int, float],
) -> list[Analogue]:
    whole = sum(compared.values())
    heaviest = sorted(compared.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_ANALOGUES]
    return [
        Analogue(
            names[PRODUCT][item],
            weight / whole,
            _similarity(panel, names, wanted, int((panel.static[PRODUCT] == item).argmax())),
        )
        for item, weight in heaviest
    ]


def _similarity(
    panel: Panel, names: Mapping[str, Sequence[str]], wanted: NewProduct, row: int
) -> float:
    same = [
        name in panel.static and names[name][int(panel.static[name][row])] == value
        for name, value in wanted.attributes
    ]
    return sum(same) / len(same)
