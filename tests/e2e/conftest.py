from collections.abc import Iterator

import pytest

from tests.support.world import World, world


@pytest.fixture(scope="session", name="world")
def the_world() -> Iterator[World]:
    """One world for all end-to-end tests. They may add to it, and undo what they break."""
    with world() as started:
        yield started
