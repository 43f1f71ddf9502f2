"""Retail calendars by name, apart from what computes them: commands start without numpy."""

from enum import StrEnum


class Retail(StrEnum):
    """Weeks of the months of a quarter."""

    FOUR_FOUR_FIVE = "4-4-5"
    FOUR_FIVE_FOUR = "4-5-4"
    FIVE_FOUR_FOUR = "5-4-4"
