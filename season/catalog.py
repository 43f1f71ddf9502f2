"""The range: styles, colours, size runs, prices."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from season.categories import CATEGORIES, COLOURS, Category
from season.config import SeasonConfig
from season.streams import stream

CENT_MICROS = 10_000
SIZE_CURVE_CONCENTRATION = (
    150.0  # Of the Dirichlet draw around the common curve: small differences.
)


@dataclass(frozen=True, slots=True)
class Style:
    """A design in its colours and sizes."""

    name: str  # As in `styles/{style}`.
    category: Category
    price_micros: int  # Full price of one unit, in millionths of the currency.
    colours: tuple[str, ...]
    sizes: tuple[str, ...]  # In the order of the size run.


@dataclass(frozen=True, slots=True)
class Sku:
    """A choice (style and colour) in a size."""

    sku: str
    style: str
    colour: str
    size: str
    style_index: int
    choice_index: int
    size_share: float  # Of the choice's demand. The shares of a choice add up to 1.

    @property
    def choice(self) -> str:
        return f"{self.style}/{self.colour}"


@dataclass(frozen=True)
class Catalog:
    styles: tuple[Style, ...]
    skus: tuple[Sku, ...]  # By style, colour, size.

    @cached_property
    def choices(self) -> tuple[str, ...]:
        """Names `<style>/<colour>`, in order of their index."""
        return tuple(dict.fromkeys(sku.choice for sku in self.skus))


def build(config: SeasonConfig) -> Catalog:
    rng = stream(config, "catalog")
    styles = tuple(_styles(config, rng))
    return Catalog(styles, tuple(_skus(config, styles, rng)))


def size_curve(sizes: int) -> np.ndarray:
    """The common share of each size, shape (sizes,): binomial, so that the middle sells most."""
    shares = np.array([1.0])
    for _ in range(sizes - 1):
        shares = np.convolve(shares, [0.52, 0.48])
    return shares


def _styles(config: SeasonConfig, rng: np.random.Generator) -> list[Style]:
    styles = []
    for category, count in _counts(config.styles):
        designs = rng.permutation(category.designs)
        for number in range(count):
            again = number // len(designs)
            name = str(designs[number % len(designs)]) + (f"-{again + 1}" if again else "")
            styles.append(_style(config, name, category, rng))
    return styles


def _style(config: SeasonConfig, name: str, category: Category, rng: np.random.Generator) -> Style:
    colours = tuple(str(c) for c in rng.choice(COLOURS, size=config.colours, replace=False))
    price = round(float(rng.choice(category.price_points)) * 100) * CENT_MICROS
    return Style(name, category, price, colours, _middle(category.size_labels, config.sizes))


def _counts(styles: int) -> list[tuple[Category, int]]:
    """How many styles each category has: its share, rounded by largest remainder."""
    exact = np.array([category.share for category in CATEGORIES]) * styles
    counts = np.floor(exact).astype(int)
    largest_first = np.argsort(-(exact - counts), kind="stable")
    counts[largest_first[: styles - int(counts.sum())]] += 1
    return list(zip(CATEGORIES, counts.tolist(), strict=True))


def _middle(labels: tuple[str, ...], count: int) -> tuple[str, ...]:
    count = min(count, len(labels))
    first = (len(labels) - count) // 2
    return labels[first : first + count]


def _skus(config: SeasonConfig, styles: tuple[Style, ...], rng: np.random.Generator) -> list[Sku]:
    skus = []
    choice_index = 0
    for style_index, style in enumerate(styles):
        common = size_curve(len(style.sizes))
        for colour in style.colours:
            shares = rng.dirichlet(common * SIZE_CURVE_CONCENTRATION)
            for size, share in zip(style.sizes, shares, strict=True):
                code = f"{config.retailer.sku_prefix}-{style.name}-{colour}-{size}".upper()
                skus.append(
                    Sku(code, style.name, colour, size, style_index, choice_index, float(share))
                )
            choice_index += 1
    return skus
