"""The README's tour is run as it stands, but for the ports of the world."""

from tests.support import tours
from tests.support.world import World


def test_the_tour_does_what_it_says(world: World) -> None:
    page = tours.ROOT / "README.md"
    assert len(tours.BLOCK.findall(page.read_text("utf-8"))) > 3
    tours.take(world, page)
