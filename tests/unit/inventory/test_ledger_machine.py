"""The ledger's rules in any order, against the simplest model: a list of accepted movements."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from services.chassis.errors import RequestIdReused
from services.inventory.domain import (
    MOST_DELTA_UNITS,
    InsufficientStock,
    Level,
    Movement,
    Posting,
    Reason,
    Sku,
    StoreId,
    answer_again,
    post,
)

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
DELTAS = st.one_of(st.integers(-3, 3), st.integers(-MOST_DELTA_UNITS, MOST_DELTA_UNITS))
PLACES = st.tuples(
    st.sampled_from([StoreId("berlin"), StoreId("oslo")]), st.sampled_from([Sku("M"), Sku("L")])
)


class LedgerMachine(RuleBasedStateMachine):
    movements = Bundle("movements")

    @initialize()
    def begin(self) -> None:
        self.levels: dict[tuple[StoreId, Sku], Level] = {}
        self.postings: dict[UUID, Posting] = {}
        self.accepted: list[Movement] = []

    @rule(
        target=movements,
        place=PLACES,
        delta_units=DELTAS.filter(bool),
        reason=st.sampled_from(Reason),
        request_id=st.uuids(version=4),
    )
    def new_movement(
        self, place: tuple[StoreId, Sku], delta_units: int, reason: Reason, request_id: UUID
    ) -> Movement:
        return Movement(request_id, *place, delta_units, reason, NOW)

    @rule(movement=movements)
    def record(self, movement: Movement) -> None:
        """Drawn again, a movement is a retry, or a second try of one that was refused."""
        place = (movement.store, movement.sku)
        earlier = self.postings.get(movement.request_id)
        if earlier is not None:
            assert answer_again(earlier, movement) == earlier
            return
        expected = self.expected(place) + movement.delta_units
        try:
            posting = post(movement, level=self.levels.get(place, Level(0, 0)), now=NOW)
        except InsufficientStock:
            assert expected < 0
            return
        assert posting.on_hand_units == expected
        self.levels[place] = Level(posting.on_hand_units, posting.sequence)
        self.postings[movement.request_id] = posting
        self.accepted.append(movement)

    @rule(movement=movements, nanos=st.integers(1, 999))
    def reuse_request_id(self, movement: Movement, nanos: int) -> None:
        earlier = self.postings.get(movement.request_id)
        if earlier is None:
            return
        try:
            answer_again(earlier, replace(movement, occur_nanos=nanos))
        except RequestIdReused:
            return
        raise AssertionError("another movement was taken for a retry")

    @invariant()
    def on_hand_is_the_sum_of_the_movements(self) -> None:
        for place, level in getattr(self, "levels", {}).items():
            assert level.on_hand_units == self.expected(place) >= 0
            assert level.sequence == sum(self.place(found) == place for found in self.accepted)

    def expected(self, place: tuple[StoreId, Sku]) -> int:
        return sum(found.delta_units for found in self.accepted if self.place(found) == place)

    @staticmethod
    def place(movement: Movement) -> tuple[StoreId, Sku]:
        return (movement.store, movement.sku)


TestLedgerMachine = LedgerMachine.TestCase
