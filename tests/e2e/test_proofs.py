"""Short forms of the long proofs, in one lab: real routers, Envoys, databases, and a relay."""

from collections.abc import AsyncIterator

import pytest

from proofs import drain, failover, soak, static_stability
from proofs.lab.lab import Lab, lab
from proofs.lab.load import GET_STOCK, RECORD, Load
from proofs.lab.operations import Operator
from proofs.lab.plan import Shape

RATE = 60.0


@pytest.fixture(scope="module", name="made")
async def the_lab() -> AsyncIterator[Lab]:
    async with lab(Shape(wan=True, suite=True, poison=drain.POISON)) as made:
        yield made


async def test_the_audit_counts_what_the_client_counts(made: Lab) -> None:
    # First of all: entries of calls before it would come in late and be counted with its own.
    figures = await soak.soak(made, 1500, 2, 200.0)
    assert list(soak.PROMISE.broken(figures)) == []
    assert figures["served_by_sibling"] > 0
    assert figures["redirected"] > 0
    assert figures["hits_at_home"] > 0


async def test_faults_lose_no_read_and_nothing_leaves_the_jurisdiction(made: Lab) -> None:
    seen = await failover.series(made, 6, RATE, "faults", lasts=0.5)
    assert seen.calls.total() > 0
    assert (seen.lost.total(), seen.outside) == (0, 0)


async def test_a_drain_costs_no_call(made: Lab) -> None:
    load = Load(made, drain.WAYS, RATE, paths=[GET_STOCK, RECORD])
    operator = Operator(made, drain.REGION)
    async with load.running():
        await operator.ready(drain.REGION)
        await drain.at_once(load, operator, watched=1.5)
    served = {call.served_by for call in load.calls if call.way.home == drain.REGION}
    assert load.tally.problems == {}
    assert served == {drain.REGION, drain.SIBLING}


async def test_a_poison_pill_ejects_nobody(made: Lab) -> None:
    others, figures = await drain.poisoned(made, RATE, 2.0)
    assert figures["poisoned_calls"] > 0
    assert (figures["ejected"], figures["healthy_calls_served_away"]) == (0, 0)
    assert all(call.ok for call in others)


async def test_without_routers_nothing_fails_and_a_change_follows_when_they_are_back(
    made: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(static_stability, "EFFECTIVE_SECONDS", 1.5)
    load = Load(made, static_stability.WAYS, RATE, paths=[GET_STOCK, RECORD])
    async with load.running():
        await static_stability.without_routers(made, 2)
        await static_stability.change(made, load)
        await Operator(made, drain.REGION).undrain(drain.REGION)
    served = {call.served_by for call in load.calls if call.way.home == drain.REGION}
    assert load.tally.problems == {}
    assert drain.SIBLING in served


async def test_a_dead_jurisdiction_is_refused_and_nobody_else_is_asked(
    made: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failover, "DEAD_SECONDS", 2.0)
    figures = await failover.all_dead(made, RATE)
    assert figures["dead_calls"] > 0
    assert figures["dead_answered_as_promised"] == figures["dead_calls"]
