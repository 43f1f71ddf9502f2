"""The boosted models that there are, and how each differs from the others."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recipe:
    """Models that see different things err differently, which is what an ensemble lives on."""

    name: str
    looks: bool  # Whether it sees what a simple tier said, and so learns only where one was asked.
    # One that does not goes step by step instead, each from what it said of the last.
    trees: int = 150
    leaves: int = 63
    rate: float = 0.08
    power: float = 1.3  # Of Tweedie's variance: 1 is Poisson, 2 is gamma.
    rows: int = 200_000  # Forecasts of the past to learn from, at most.


STACKED = Recipe("stacked", looks=True)
QUICK = Recipe("stacked", looks=True, trees=80, rate=0.12, rows=120_000)
RECURSIVE = Recipe("recursive", looks=False)
