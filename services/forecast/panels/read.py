"""A panel as it was read, and what its numbers stand for."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.forecast.domain.panels import SeriesName
from services.forecast.engine.panel import Panel

OF_STORE = "store_"


@dataclass(frozen=True, slots=True)
class Names:
    """What the numbers of a panel stand for."""

    series: list[SeriesName]  # In the order of the rows: by store and SKU.
    static: Mapping[str, tuple[str, ...]]
    """Of each column of `Panel.static`, what its codes mean. `store`, `sku`, `product`; SKUs'
    attributes by name; stores' with `store_` before it. An attribute that is not known is empty."""


@dataclass(frozen=True, slots=True)
class Read:
    panel: Panel
    names: Names
