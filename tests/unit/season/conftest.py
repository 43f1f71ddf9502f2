from datetime import date

import pytest

from season import Season, SeasonConfig, simulate
from season.presets import ATELIER_NORD, season_of

END = date(2026, 10, 31)


@pytest.fixture(scope="session")
def season() -> Season:
    """The demo season of atelier-nord, as the seed loads it."""
    return simulate(season_of("atelier-nord", END))


@pytest.fixture
def small() -> SeasonConfig:
    return SeasonConfig(ATELIER_NORD, END, weeks=10, stores=2, styles=4, colours=1, sizes=3)
