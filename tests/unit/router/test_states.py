"""The proof over all states, in short; and leaks in the compiler, which the checker must find."""

import dataclasses

import pytest

from proofs import planted_leaks, states
from proofs.states_world import World, twelve_regions
from services.router import check
from services.router.check.choices import Combinations, Target
from services.router.translate import translate

FACTS = planted_leaks.small_world()


@pytest.mark.parametrize("name", planted_leaks.LEAKS)
def test_finds_what_leaks(name: str) -> None:
    assert check.prove(FACTS, planted_leaks.LEAKS[name](FACTS)).problems


def test_twenty_leaks_are_planted_into_a_world_that_has_none() -> None:
    assert len(planted_leaks.LEAKS) == 20
    assert not check.prove(FACTS, translate(FACTS)).problems


def test_all_states_of_one_jurisdiction_hold() -> None:
    """Of one region's edge, with every set of its siblings drained."""
    world = World(twelve_regions())
    own = world.topology.jurisdictions["EU"].regions
    proofs = states.Proofs(world)
    assert {proofs.of(own[0], drained).problems for drained in states.subsets(own)} == {()}
    assert len(proofs) == 16
    assert proofs.of(own[0], frozenset()).states == 4096


def test_a_hash_is_of_what_was_shown() -> None:
    made = check.prove(FACTS, translate(FACTS))
    assert made.hash == check.prove(FACTS, translate(FACTS)).hash
    other = dataclasses.replace(FACTS, policies={})
    assert made.hash != check.prove(other, translate(other)).hash


def test_combinations_are_asked_one_by_one() -> None:
    """The bits say what asking for each combination by itself would say."""
    regions = ("a", "b", "c", "d")
    world = Combinations(regions)
    target = Target("t", 10_000, (("c",), ("a",), ("d",)), panics=False)
    first, nobody = world.asked(target)
    for number in range(16):
        up = [name for i, name in enumerate(regions) if number >> i & 1]
        expected = next((name for name in ("c", "a", "d") if name in up), None)
        found = [name for name, combinations in first.items() if combinations >> number & 1]
        assert found == ([expected] if expected else [])
        assert (nobody >> number & 1) == (expected is None)
