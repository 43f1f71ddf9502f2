from collections.abc import Iterator

import pytest

from tests.support.world import World, world


@pytest.fixture(scope="package", name="world")
def the_world() -> Iterator[World]:
    """One world for all end-to-end tests. They may add to it, and undo what they break.

    It ends with them: what it does all the time takes half a core from the tests that follow.
    """
    with world() as started:
        yield started
