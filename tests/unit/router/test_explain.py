"""A route, explained: who is asked, who answers, and why."""

import pytest

from services.chassis.contract import PUBLIC, Method
from services.router.explain import Explanation, Question, RouteOutcome, explain
from services.router.operations_rules import Scene
from services.router.policy import Mode, Policy
from tests.unit.router.test_operations_rules import scene
from tests.unit.router.test_policy import REGIONS

A, B, C, D = REGIONS
READ = Method("/hemline.inventory.v1.InventoryService/GetStockLevel", "inventory", "r", True, True)
WRITE = Method("/hemline.inventory.v1.InventoryService/Record", "inventory", "w", True, False)
ONCE = Method("/hemline.inventory.v1.InventoryService/Import", "inventory", "w", False, False)
OPEN = Method("/hemline.forecast.v1.X/Exchange", "forecast", PUBLIC, True, False)


def asked(
    where: Scene | None = None,
    policy: Policy | None = None,
    *,
    home: str = A,
    edge: str = A,
    method: Method | None = None,
    down: tuple[str, ...] = (),
) -> Explanation:
    question = Question(home, edge, method, frozenset(down))
    return explain(where or scene(), policy or Policy(), question)


def told(found: Explanation) -> str:
    return "\n".join(found.reasons)


def test_a_healthy_home_answers_and_the_order_behind_it_is_told() -> None:
    found = asked(method=READ)
    (only,) = found.choices
    assert only.percent == 100
    assert [(step.region, step.healthy, step.serves) for step in only.steps] == [
        (A, True, True), (B, True, False), (C, True, False), (D, True, False),
    ]  # fmt: skip
    assert only.steps[0].endpoints == ("10.0.0.2:1",)
    assert found.outcome is RouteOutcome.SERVED
    assert f"So {A} answers 100 % of the calls." in found.reasons
    assert "us-east-1" not in told(found)


def test_without_a_method_no_endpoint_is_told() -> None:
    assert asked().choices[0].steps[0].endpoints == ()


def test_if_regions_died_the_next_would_answer() -> None:
    found = asked(down=(A, B))
    (only,) = found.choices
    assert [step.region for step in only.steps if step.serves] == [C]
    assert f"{A} does not count as healthy: thought to be down." in found.reasons


def test_a_region_that_is_down_is_told_with_what_is_down_in_it() -> None:
    found = asked(scene(down=(A,)), method=READ)
    assert f"So {B} answers 100 % of the calls." in found.reasons
    assert f"{A} does not count as healthy: inventory has 0 of 2 healthy hosts." in found.reasons


def test_another_service_of_the_same_region_is_no_matter() -> None:
    forecast = Method("/hemline.forecast.v1.ForecastService/Get", "forecast", "r", True, True)
    assert asked(scene(down=(A,)), method=forecast).choices[0].steps[0].serves


def test_nobody_left_is_said_with_the_error_that_callers_see() -> None:
    found = asked(down=REGIONS)
    assert found.outcome is RouteOutcome.NO_HEALTHY_REGION
    assert "UNAVAILABLE RESIDENCY_NO_HEALTHY_REGION" in told(found)
    assert "No other jurisdiction is asked." in told(found)


def test_a_drain_is_two_choices_and_a_sentence() -> None:
    found = asked(policy=Policy(drained={A: 30}))
    assert [(one.percent, one.steps[0].region) for one in found.choices] == [(70, A), (30, B)]
    assert f"So {A} answers 70 % and {B} answers 30 % of the calls." in found.reasons
    assert f"{A} is drained: 30 % of its calls are taken off it" in told(found)


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        (Policy(Mode.LATENCY), f"Mode latency: the shortest round trip from {D} first: {D} 0 ms"),
        (Policy(Mode.GEOLOCATION), f"Mode geolocation: the region nearest to {D}"),
        (Policy(Mode.WEIGHTED, {A: 80, B: 20}), "Mode weighted: each region first for its share"),
        (Policy(home_epoch_floor=4), "Tokens with a home epoch below 4 are refused."),
        (
            Policy(tracks={"inventory": {"stable": 90, "canary": 10}}),
            "inventory runs as canary 10 %, stable 90 %.",
        ),
    ],
)
def test_the_policy_is_told(policy: Policy, says: str) -> None:
    assert says in told(asked(policy=policy, edge=D, method=READ))


def test_tracks_that_nobody_runs_any_more_are_told_as_such() -> None:
    found = told(asked(policy=Policy(tracks={"inventory": {"canary": 100}}), method=READ))
    assert "inventory runs as" not in found
    assert "inventory uses its hosts alike: none runs as canary 100 % any more." in found


def test_a_region_whose_asked_track_is_down_does_not_answer() -> None:
    both = {name: ["stable", "canary"] for name in REGIONS}
    where = scene(tracks=both, down_track=("canary", A))
    found = asked(where, Policy(tracks={"inventory": {"canary": 100}}), method=READ)
    assert f"So {B} answers 100 % of the calls." in found.reasons


@pytest.mark.parametrize(
    ("method", "repeats", "says"),
    [
        (READ, (True, True), "GetStockLevel changes nothing"),
        (WRITE, (True, False), "Record may run twice"),
        (ONCE, (False, False), "Import is sent again only if nobody can have seen it"),
    ],
)
def test_repeats_are_told_by_method(method: Method, repeats: tuple[bool, bool], says: str) -> None:
    found = asked(method=method)
    assert (found.retried, found.hedged) == repeats
    assert says in told(found)


def test_a_foreign_edge_sends_home() -> None:
    found = asked(edge="us-east-1")
    assert found.outcome is RouteOutcome.REDIRECTED
    assert found.choices == ()
    assert "WRONG_REGION with http://eu" in told(found)


def test_a_foreign_edge_that_passes_calls_on_knows_no_policy_of_here() -> None:
    # The US lets foreign edges forward; nobody here knows how it steers, or how it is.
    found = asked(scene(silent=("us-east-1",)), Policy(drained={A: 1}), home="us-east-1")
    assert found.outcome is RouteOutcome.SERVED
    assert [step.region for choice in found.choices for step in choice.steps] == ["us-east-1"]


def test_a_call_without_a_token_belongs_to_the_region_of_its_edge() -> None:
    found = asked(home=A, edge=C, method=OPEN)
    assert found.choices[0].steps[0].region == C
    assert "Exchange needs no token" in told(found)
