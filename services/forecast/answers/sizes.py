"""Splits a new product to sizes, as what it is compared with sold in them. Arrays alone."""

from collections.abc import Mapping, Sequence

import numpy as np

from services.forecast.domain.cold_start import SizeNotFound, SizeShare
from services.forecast.engine.arrays import Booleans, Floats, Integers
from services.forecast.engine.size_curves import size_shares
from services.forecast.panels.read import Read

PRODUCT, SIZE, CATEGORY = "product", "size", "category"


def split(read: Read, compared: Mapping[int, float], wanted: Sequence[str]) -> list[SizeShare]:
    """Shares of sizes that add up to 1: as wanted, else the largest first. None, if none is known.

    Each product's own curve is shrunk to that of its category, where SKUs have one.

    Args:
        read: series of SKUs, with their attribute `size`.
        compared: weights of products by code.
        wanted: the sizes that the new product comes in; those of ``compared``, if empty.

    Raises:
        SizeNotFound: none of ``compared`` comes in a size that is wanted.
    """
    codes = _sizes(read, compared)
    names = read.names.static.get(SIZE, ())
    known = {names[code]: code for code in codes.tolist()}
    for size in wanted:
        if size not in known:
            raise SizeNotFound("No product that it is compared with comes in the size.", size=size)
    if not known:
        return []
    chosen = np.array(sorted(known[size] for size in wanted) if wanted else codes)
    shares = dict(zip(chosen.tolist(), _curve(read, compared, chosen).tolist(), strict=True))
    found = [SizeShare(names[code], share) for code, share in shares.items()]
    order = {size: at for at, size in enumerate(wanted)}
    return sorted(found, key=lambda each: (order.get(each.size, 0), -each.share, each.size))


def _sizes(read: Read, compared: Mapping[int, float]) -> Integers:
    """Codes of the sizes that ``compared`` come in, ascending; an SKU may be of none."""
    static = read.panel.static
    if SIZE not in static:
        return np.zeros(0, dtype=np.int64)
    found = np.unique(static[SIZE][_of(static[PRODUCT], compared)])
    return found[[bool(read.names.static[SIZE][code]) for code in found.tolist()]]


def _of(products: Integers, compared: Mapping[int, float]) -> Booleans:
    return np.isin(products, list(compared))


def _curve(read: Read, compared: Mapping[int, float], sizes: Integers) -> Floats:
    """(sizes,). The weighted mean of the curves of ``compared``."""
    static = read.panel.static
    category = static.get(CATEGORY, np.zeros_like(static[PRODUCT]))
    alike = np.isin(category, category[_of(static[PRODUCT], compared)])
    rows = np.flatnonzero(alike & np.isin(static[SIZE], sizes))
    products, first, member = np.unique(
        static[PRODUCT][rows], return_index=True, return_inverse=True
    )
    cells = (member, np.searchsorted(sizes, static[SIZE][rows]))
    sold, made = np.zeros((2, products.size, sizes.size))
    np.add.at(sold, cells, np.nansum(read.panel.units[rows], axis=1))
    made[cells] = 1.0
    shares = size_shares(np.where(made > 0, sold, np.nan), category[rows][first])
    weights = np.array([compared.get(product, 0.0) for product in products.tolist()])
    found: Floats = weights @ shares / weights.sum()
    return found
