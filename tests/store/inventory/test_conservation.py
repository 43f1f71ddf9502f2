"""Whatever happens in whatever order, on hand is the sum of the movements."""

import asyncio
from collections import defaultdict
from uuid import UUID, uuid4

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from deploy.local.postgres import Postgres
from services.chassis.errors import HemlineError
from services.inventory.domain import InsufficientStock, Movement, Posting
from tests.store.inventory.support import (
    BERLIN,
    OSLO,
    SHIRT_L,
    SHIRT_M,
    Retailer,
    line,
    movement,
    open_database,
)

PLACES = st.sampled_from([(store, sku) for store in (BERLIN, OSLO) for sku in (SHIRT_M, SHIRT_L)])
UNITS = st.integers(-6, 9).filter(bool)


class StockMachine(RuleBasedStateMachine):
    """The use cases on PostgreSQL against a dictionary."""

    def __init__(self, server: Postgres, runner: asyncio.Runner) -> None:
        super().__init__()
        self.run = runner.run
        self.database = open_database(server)
        self.retailer = Retailer(self.database, server)
        self.run(self.retailer.stock_up())
        self.on_hand: dict[tuple[str, str], int] = defaultdict(int)
        self.posted: list[tuple[Movement, Posting]] = []
        self.counted: list[tuple[UUID, dict[tuple[str, str], int]]] = []

    def teardown(self) -> None:
        self.run(self.database.close())

    @rule(place=PLACES, units=UNITS)
    def move(self, place: tuple[str, str], units: int) -> None:
        stated = movement(units, store=place[0], sku=place[1])
        try:
            posting = self.run(self.retailer.record(stated))
        except InsufficientStock:
            assert self.on_hand[place] + units < 0
            return
        self.on_hand[place] += units
        assert posting.on_hand_units == self.on_hand[place]
        self.posted.append((stated, posting))

    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        if self.posted:
            stated, posting = data.draw(st.sampled_from(self.posted))
            assert self.run(self.retailer.record(stated)) == posting

    @rule(counts=st.dictionaries(PLACES, st.integers(0, 9), min_size=1), again=st.booleans())
    def count(self, counts: dict[tuple[str, str], int], again: bool) -> None:  # noqa: FBT001
        request_id = uuid4()
        lines = [
            line(row, units, store=store, sku=sku)
            for row, ((store, sku), units) in enumerate(counts.items(), start=2)
        ]
        needed = sum(self.on_hand[place] != units for place, units in counts.items())
        for _ in range(1 + again):
            outcome = self.run(self.retailer.count(*lines, request_id=request_id))
            assert outcome.movements == needed
        self.on_hand.update(counts)

    @rule(place=PLACES, deltas=st.lists(UNITS, min_size=2, max_size=5))
    def move_at_once(self, place: tuple[str, str], deltas: list[int]) -> None:
        async def together() -> list[Posting | BaseException]:
            stated = [movement(units, store=place[0], sku=place[1]) for units in deltas]
            return await asyncio.gather(
                *(self.retailer.record(one) for one in stated), return_exceptions=True
            )

        for outcome in self.run(together()):
            if isinstance(outcome, Posting):
                self.on_hand[place] += outcome.movement.delta_units
            else:
                assert isinstance(outcome, HemlineError)

    @invariant()
    def on_hand_is_the_sum_of_the_movements(self) -> None:
        levels = {
            (store, sku): units
            for store, sku, units in self.retailer.sql(
                "SELECT store, sku, on_hand_units FROM level"
            )
        }
        sums = self.retailer.sql(
            "SELECT store, sku, sum(delta_units) FROM movement GROUP BY store, sku"
        )
        assert levels == {(store, sku): int(units) for store, sku, units in sums}
        assert levels == {place: units for place, units in self.on_hand.items() if place in levels}
        assert not any(units for place, units in self.on_hand.items() if place not in levels)


def test_stock_is_conserved_whatever_happens(server: Postgres) -> None:
    with asyncio.Runner() as runner:
        run_state_machine_as_test(
            lambda: StockMachine(server, runner),
            settings=settings(
                max_examples=8,
                stateful_step_count=20,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
