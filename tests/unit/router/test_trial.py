"""A policy is tried before it is written down."""

import dataclasses

from services.router import trial
from services.router.policy import HIGHEST_EPOCH, Mode, Policy
from tests.unit.router.world import facts


def test_a_policy_that_can_be_published_has_no_problems() -> None:
    assert trial.problems(facts(), Policy(home_epoch_floor=HIGHEST_EPOCH - 1)) == ()


def test_a_floor_that_no_token_reaches_is_a_problem() -> None:
    said = trial.problems(facts(), Policy(home_epoch_floor=HIGHEST_EPOCH))
    assert any("tenants of eu-central-1 are not served" in one for one in said)


def test_what_cannot_be_translated_is_a_problem() -> None:
    # The little world tells no round trips.
    [said] = trial.problems(facts(), Policy(Mode.LATENCY))
    assert "latencies_ms" in said


def test_it_is_tried_under_the_policy_in_question_alone() -> None:
    held = dataclasses.replace(facts(), policies={"EU": Policy(home_epoch_floor=HIGHEST_EPOCH)})
    assert trial.problems(held, Policy()) == ()
