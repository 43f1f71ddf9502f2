"""Properties of the choice of regions, over every topology, policy, edge and home."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import topology
from services.chassis.topology import Topology
from services.router import policy
from services.router.policy import PERCENT, WHOLE, Mode, Policy, choices

REGIONS = ("eu-a-1", "eu-b-1", "eu-c-1", "eu-d-1")
LOCATIONS = ([50, 9], [53, -6], [59, 18], [41, -4])
LATENCIES = {
    "eu-a-1": {"eu-b-1": 25, "eu-c-1": 22, "eu-d-1": 31},
    "eu-b-1": {"eu-c-1": 40, "eu-d-1": 28},
    "eu-c-1": {"eu-d-1": 52},
}


def four_regions(failover: dict[str, list[str]] | None = None, **eu: Any) -> Topology:
    order = failover or {name: [other for other in REGIONS if other != name] for name in REGIONS}
    return topology.parse(
        {
            "jurisdictions": {
                "EU": {"regions": [*REGIONS], "foreign_edges": "redirect", **eu},
                "US": {"regions": ["us-east-1"], "foreign_edges": "forward"},
            },
            "regions": {
                "us-east-1": {"endpoint": "http://us", "failover": []},
                **{
                    name: {"endpoint": "http://eu", "failover": order[name], "location": location}
                    for name, location in zip(REGIONS, LOCATIONS, strict=True)
                },
            },
            "latencies_ms": LATENCIES,
            "edge": {"cors_origins": ["http://web"], "reflection": True},
        }
    )


FOUR = four_regions()
REGION = st.sampled_from(REGIONS)
FAILOVER = st.fixed_dictionaries(
    {
        name: st.lists(st.sampled_from([other for other in REGIONS if other != name]), unique=True)
        for name in REGIONS
    }
)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    cuts = sorted(draw(st.lists(st.integers(0, PERCENT), min_size=3, max_size=3)))
    parts = [high - low for low, high in zip([0, *cuts], [*cuts, PERCENT], strict=True)]
    mode = draw(st.sampled_from(Mode))
    weights = dict(zip(REGIONS, parts, strict=True)) if mode is Mode.WEIGHTED else {}
    drained = draw(st.dictionaries(REGION, st.integers(1, PERCENT)))
    return Policy(mode, weights, drained)


@given(FAILOVER, policies(), REGION, REGION)
def test_shares_add_up_and_only_the_family_is_asked(
    failover: dict[str, list[str]], held: Policy, edge: str, home: str
) -> None:
    found = choices(four_regions(failover), held, edge, home)
    assert sum(choice.share for choice in found) == WHOLE
    assert all(choice.share > 0 for choice in found)
    family = {home, *failover[home]}
    usable = {region for region in family if held.drained.get(region, 0) < PERCENT}
    for choice in found:
        # Everybody who may serve is asked in the end, once, and nobody else.
        assert sorted(choice.regions) == sorted(usable)
    firsts = [choice.regions[:1] for choice in found]
    assert len(set(firsts)) == len(firsts)


@given(policies(), REGION, REGION, st.integers(1, PERCENT))
def test_a_drain_takes_its_percent_exactly(
    held: Policy, edge: str, home: str, percent: int
) -> None:
    whole = Policy(held.mode, held.weights)
    drained = Policy(held.mode, held.weights, {home: percent})

    def share_of(each: Policy) -> int:
        found = choices(FOUR, each, edge, home)
        return sum(choice.share for choice in found if choice.regions[0] == home)

    assert share_of(drained) * PERCENT == share_of(whole) * (PERCENT - percent)


def test_one_percent_of_one_percent_is_one_share() -> None:
    weights = {"eu-a-1": 99, "eu-b-1": 1, "eu-c-1": 0, "eu-d-1": 0}
    held = Policy(Mode.WEIGHTED, weights, {"eu-b-1": 1})
    found = choices(FOUR, held, "eu-a-1", "eu-a-1")
    assert {choice.regions[0]: choice.share for choice in found} == {"eu-a-1": 9901, "eu-b-1": 99}


@pytest.mark.parametrize(
    ("mode", "edge", "order"),
    [
        (Mode.FAILOVER, "eu-c-1", ("eu-b-1", "eu-a-1", "eu-c-1", "eu-d-1")),
        (Mode.LATENCY, "eu-c-1", ("eu-c-1", "eu-a-1", "eu-b-1", "eu-d-1")),
        (Mode.GEOLOCATION, "eu-d-1", ("eu-d-1", "eu-b-1", "eu-a-1", "eu-c-1")),
    ],
)
def test_each_mode_has_its_order(mode: Mode, edge: str, order: tuple[str, ...]) -> None:
    (only,) = choices(FOUR, Policy(mode), edge, "eu-b-1")
    assert only.regions == order


def test_what_is_drained_goes_to_the_next_that_is_not_drained_at_all() -> None:
    held = Policy(drained={"eu-a-1": 30, "eu-b-1": 1})
    found = choices(FOUR, held, "eu-a-1", "eu-a-1")
    assert [(choice.share, choice.regions[0]) for choice in found] == [
        (7000, "eu-a-1"),
        (3000, "eu-c-1"),
    ]


def test_a_family_that_is_drained_as_a_whole_is_asked_for_nothing() -> None:
    alone = four_regions({name: [] for name in REGIONS})
    (only,) = choices(alone, Policy(drained={"eu-a-1": 100}), "eu-b-1", "eu-a-1")
    assert only.regions == ()
    assert policy.stranded(alone, "EU", {"eu-a-1": 100}) == ("eu-a-1",)
    assert policy.stranded(FOUR, "EU", {"eu-a-1": 100}) == ()


def test_a_mode_without_its_facts_says_which_are_missing() -> None:
    held = Policy(Mode.LATENCY)
    assert policy.problems(FOUR, "EU", held) == []
    assert choices(FOUR, held, "eu-a-1", "eu-a-1")
    bare = topology.parse(
        {
            "jurisdictions": {"EU": {"regions": ["eu-a-1", "eu-b-1"], "foreign_edges": "redirect"}},
            "regions": {
                "eu-a-1": {"endpoint": "http://a", "failover": ["eu-b-1"]},
                "eu-b-1": {"endpoint": "http://b", "failover": []},
            },
            "edge": {"cors_origins": [], "reflection": True},
        }
    )
    assert policy.problems(bare, "EU", held) == [
        "mode: latencies_ms tells none between eu-a-1 and eu-b-1"
    ]
    assert policy.problems(bare, "EU", Policy(Mode.GEOLOCATION)) == [
        "mode: regions.eu-a-1 has no location",
        "mode: regions.eu-b-1 has no location",
    ]
    with pytest.raises(ValueError, match="latencies_ms"):
        choices(bare, held, "eu-b-1", "eu-a-1")


def test_the_baseline_is_what_the_topology_says() -> None:
    assert policy.baseline(FOUR, "EU") == Policy()
    weights = dict(zip(REGIONS, (70, 30, 0, 0), strict=True))
    steered = four_regions(traffic={"mode": "weighted", "weights": weights})
    assert policy.baseline(steered, "EU") == Policy(Mode.WEIGHTED, weights)
    assert policy.baseline(steered, "US") == Policy()
