"""What a season is simulated from. Every number has its unit in its name or beside it."""

import re
from dataclasses import dataclass
from datetime import date

NAME = re.compile(r"[a-z0-9-]{1,40}")
LIMITS = {
    "seed": (0, 2**63 - 1),
    "weeks": (1, 520),
    "stores": (1, 1000),
    "styles": (1, 5000),
    "colours": (1, 12),
    "sizes": (1, 8),
    "daily_units": (0.001, 10_000),
    "dispersion": (0.01, 10_000),
    "stock_out_share": (0, 0.5),
    "return_share": (0, 0.5),
    "carried_share": (0.01, 1),
}


@dataclass(frozen=True, slots=True)
class Place:
    """A shop and the weather outside."""

    name: str  # As in `stores/{store}`.
    display_name: str
    time_zone: str  # IANA.
    footfall: float  # Customers, relative to the average shop of the retailer.
    warmth: float  # Share of warm days above (positive) or below the range's normal, -1 to 1.


@dataclass(frozen=True, slots=True)
class Retailer:
    """Who sells. Two retailers with the same seed have nothing in common but the rules."""

    name: str  # 1-40 lower-case letters, digits and hyphens.
    sku_prefix: str  # Upper-case letters.
    places: tuple[Place, ...]
    weekday_shares: tuple[float, ...]  # Relative sales from Monday to Sunday; 0 is closed.


@dataclass(frozen=True, slots=True)
class SeasonConfig:
    """One season. Equal configurations give equal seasons, bit for bit.

    Raises:
        ValueError: a value is out of its range; the message names it.
    """

    retailer: Retailer
    end_date: date  # The last day simulated.
    seed: int = 1
    weeks: int = 60
    stores: int = 6
    styles: int = 16
    colours: int = 2  # Of each style.
    sizes: int = 5  # Of each choice, except where one size fits all.
    daily_units: float = 0.34  # Expected demand of a series on a day on sale, averaged over all.
    dispersion: float = 3.0  # Negative binomial `k`: variance = mean + mean^2 / k.
    stock_out_share: float = 0.08  # Of series-days on sale: those that end with an empty shelf.
    return_share: float = 0.04  # Of units sold: those that come back.
    carried_share: float = 0.9  # Of choices: those that an average store carries.

    def __post_init__(self) -> None:
        for name, (least, most) in LIMITS.items():
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"season: {name} must be {least:,} to {most:,}.")
        if not NAME.fullmatch(self.retailer.name):
            raise ValueError("season: the retailer's name must be 1-40 of a-z, 0-9 and hyphen.")
        if not self.retailer.places:
            raise ValueError("season: the retailer needs at least one place.")

    @property
    def days(self) -> int:
        return 7 * self.weeks
