"""The shops of a season, and which of them carries what."""

from dataclasses import dataclass

import numpy as np

from season.catalog import Catalog
from season.config import Place, SeasonConfig
from season.streams import stream


@dataclass(frozen=True, slots=True)
class Series:
    """The pairs of SKU and store in which something is sold, shape (series,) each, by store."""

    sku_index: np.ndarray
    store_index: np.ndarray

    def __len__(self) -> int:
        return len(self.sku_index)


def build(config: SeasonConfig) -> tuple[Place, ...]:
    """The first stores of the retailer; past its last place, second and third ones in each."""
    places = config.retailer.places
    return tuple(_again(places[i % len(places)], i // len(places)) for i in range(config.stores))


def _again(place: Place, times: int) -> Place:
    if times == 0:
        return place
    return Place(
        name=f"{place.name}-{times + 1}",
        display_name=f"{place.display_name} {times + 1}",
        time_zone=place.time_zone,
        footfall=place.footfall * 0.8**times,
        warmth=place.warmth,
    )


def assort(config: SeasonConfig, catalog: Catalog, stores: tuple[Place, ...]) -> Series:
    """Decides which store carries which choice: large stores more; each choice at least one."""
    rng = stream(config, "assortment")
    footfall = np.array([store.footfall for store in stores])
    chance = np.clip(config.carried_share + 0.15 * (footfall - 1), 0.05, 1.0)
    if config.carried_share == 1:
        chance[:] = 1.0
    carried = rng.random((len(stores), len(catalog.choices))) < chance[:, None]
    carried[np.argmax(footfall)] = True
    choice_of_sku = np.array([sku.choice_index for sku in catalog.skus])
    store_index, sku_index = np.nonzero(carried[:, choice_of_sku])
    return Series(sku_index, store_index)
