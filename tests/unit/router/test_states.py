"""The proof over all states, in short; and leaks in the compiler, which the checker must find."""

import dataclasses

import pytest

from proofs import planted_leaks, states
from proofs.states_world import World, topology_of, twelve_regions
from services.router import check, nodes
from services.router.check import choices
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


def regions_named(prefix: str, count: int) -> list[str]:
    sides = ("north", "south", "west")
    return [f"{prefix}-{sides[i // 9]}-{i % 9 + 1}" for i in range(count)]


@pytest.mark.parametrize(
    ("sizes", "looked_at"),
    [((4, 4, 4), 1 << 12), ((12,), 1 << 12), ((7, 6), (1 << 7) + (1 << 6)), ((13,), 1 << 13)],
)
def test_states_are_those_that_were_looked_at(sizes: tuple[int, ...], looked_at: int) -> None:
    names = ("EU", "US", "AP")
    members = {
        name: regions_named(name.lower(), size) for name, size in zip(names, sizes, strict=False)
    }
    world = World(topology_of(members))
    facts = world.facts(world.regions[0])
    edge = nodes.edge(facts.region)
    proof = check.prove(facts, {edge: translate(facts)[edge]})
    assert proof.problems == ()
    assert proof.states == looked_at


def test_more_than_can_be_shown_is_refused() -> None:
    world = World(topology_of({"EU": regions_named("eu", choices.JURISDICTION_LIMIT + 1)}))
    proof = check.prove(world.facts(world.regions[0]), {})
    assert proof.problems == ("EU has 19 regions, 18 can be looked at",)
    assert proof.states == 0


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
