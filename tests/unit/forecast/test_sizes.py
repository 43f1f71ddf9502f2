"""The sizes of a new product: as its analogues sold in them."""

import numpy as np
import pytest

from services.forecast.answers.sizes import split
from services.forecast.domain.cold_start import SizeNotFound
from services.forecast.domain.panels import SeriesName
from services.forecast.engine.panel import Panel
from services.forecast.engine.period import Period
from services.forecast.panels.read import Names, Read

SOLD = {  # By category, product and size: units.
    ("shirt", "oxford"): {"S": 300, "M": 600, "L": 100},
    ("shirt", "poplin"): {"S": 100, "M": 200, "L": 700},
    ("shirt", "denim"): {"S": 0, "M": 1, "L": 0},
    ("shoe", "brogue"): {"42": 80, "43": 20, "": 500},
}
PRODUCTS = tuple(product for _, product in SOLD)
SIZES = ("", "42", "43", "L", "M", "S")


def read(*, sized: bool = True) -> Read:
    """Each SKU sold its units in one of two weeks; in the other, nothing is recorded."""
    rows = [
        (category, product, size, units)
        for (category, product), sizes in SOLD.items()
        for size, units in sizes.items()
    ]
    static = {
        "product": np.array([PRODUCTS.index(product) for _, product, _, _ in rows]),
        "category": np.array([("shirt", "shoe").index(category) for category, *_ in rows]),
        "size": np.array([SIZES.index(size) for *_, size, _ in rows]),
    }
    names = {"product": PRODUCTS, "category": ("shirt", "shoe"), "size": SIZES}
    if not sized:
        del static["size"], names["size"]
    units = np.array([[np.nan, units] for *_, units in rows])
    dates = Period.WEEK.dates(np.datetime64("2026-01-04"), 3)
    series = [SeriesName("a", f"{product}-{size}", product) for _, product, size, _ in rows]
    return Read(Panel(Period.WEEK, dates, units, static=static), Names(series, names))


def of(product: str) -> int:
    return PRODUCTS.index(product)


def test_sizes_are_those_of_the_analogues_by_their_weights() -> None:
    found = split(read(), {of("oxford"): 0.9, of("poplin"): 0.1}, ())
    assert [size for size, _ in found] == ["M", "S", "L"]
    shares = dict(found)
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["M"] == pytest.approx(0.9 * 0.6 + 0.1 * 0.2, abs=0.03)
    assert shares["L"] == pytest.approx(0.9 * 0.1 + 0.1 * 0.7, abs=0.03)


def test_an_analogue_that_hardly_sold_has_the_curve_of_its_category() -> None:
    found = dict(split(read(), {of("denim"): 1.0}, ()))
    assert found["S"] > 0.1
    assert found["L"] > 0.2


def test_sizes_that_are_wanted_are_all_there_are() -> None:
    found = split(read(), {of("oxford"): 1.0}, ("S", "M"))
    assert [size for size, _ in found] == ["S", "M"]
    assert found[1].share == pytest.approx(2 / 3, abs=0.03)


def test_an_unnamed_size_is_none() -> None:
    assert {size for size, _ in split(read(), {of("brogue"): 1.0}, ())} == {"42", "43"}


def test_a_size_of_no_analogue_is_refused() -> None:
    for wanted in ("42", "XXL", ""):
        with pytest.raises(SizeNotFound) as refused:
            split(read(), {of("oxford"): 1.0}, ("S", wanted))
        assert refused.value.metadata == {"size": wanted}


def test_without_sizes_nothing_is_said() -> None:
    assert split(read(sized=False), {of("oxford"): 1.0}, ()) == []
    with pytest.raises(SizeNotFound):
        split(read(sized=False), {of("oxford"): 1.0}, ("S",))
