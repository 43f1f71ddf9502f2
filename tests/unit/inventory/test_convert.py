from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hemline.inventory.v1 import inventory_service_pb2 as pb
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.errors import InvalidArgument
from services.inventory import convert
from services.inventory.convert_imports import ImportReader
from services.inventory.domain import MOST_DELTA_UNITS, Posting, Reason
from services.inventory.domain_imports import Fingerprint, Line

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SKUS = st.text("ABCXYZ0189-", min_size=1, max_size=64)
NAMES = st.text("abcxyz0189-", min_size=1, max_size=63)
REQUESTS = st.builds(
    pb.RecordMovementRequest,
    parent=NAMES.map("stores/{}".format),
    request_id=st.uuids(version=4).map(str),
    movement=st.builds(
        pb.Movement,
        sku=SKUS,
        delta_units=st.integers(-MOST_DELTA_UNITS, MOST_DELTA_UNITS).filter(bool),
        reason=st.sampled_from(pb.MovementReason.values()[1:]),
        occur_time=st.builds(
            Timestamp,
            seconds=st.integers(-2_208_988_800, 1_772_443_800),
            nanos=st.integers(0, 999_999_999),
        ),
    ),
)


def test_every_reason_of_the_contract_is_known() -> None:
    assert set(convert.REASONS) == set(pb.MovementReason.values()) - {0}
    assert set(convert.REASONS.values()) == set(Reason)


@given(REQUESTS)
def test_a_movement_survives_the_way_in_and_out(request: pb.RecordMovementRequest) -> None:
    movement = convert.movement_from(request, NOW)
    answer = convert.movement_to(Posting(movement, 1, 1, NOW)).movement
    assert answer.occur_time == request.movement.occur_time
    for field in ("sku", "delta_units", "reason"):
        assert getattr(answer, field) == getattr(request.movement, field)
    assert answer.name == f"{request.parent}/movements/{UUID(request.request_id)}"


@given(REQUESTS, REQUESTS)
def test_movements_are_equal_when_their_requests_are(
    one: pb.RecordMovementRequest, two: pb.RecordMovementRequest
) -> None:
    equal = convert.movement_from(one, NOW) == convert.movement_from(two, NOW)
    assert equal == (one == two)


@given(st.text(), st.text(), st.text(), st.integers(-(2**63), 2**63 - 1), st.integers(0, 2**31 - 1))
def test_anything_else_is_refused_with_fields_and_nothing_worse(
    parent: str, request_id: str, sku: str, delta_units: int, reason: int
) -> None:
    movement = pb.Movement(sku=sku, delta_units=delta_units)
    movement.reason = reason  # type: ignore[assignment]
    request = pb.RecordMovementRequest(parent=parent, request_id=request_id, movement=movement)
    with pytest.raises(InvalidArgument) as refused:
        convert.movement_from(request, NOW)
    assert "movement.occur_time" in [found.field for found in refused.value.violations]


def test_no_message_repeats_what_was_sent() -> None:
    secret = "4111 1111 1111 1111"
    request = pb.RecordMovementRequest(
        parent=secret, request_id=secret, movement=pb.Movement(sku=secret)
    )
    with pytest.raises(InvalidArgument) as refused:
        convert.movement_from(request, NOW)
    assert secret not in str(refused.value) + repr(refused.value.violations)


LINES = st.builds(
    Line,
    row=st.integers(1, 99),
    on_hand_units=st.integers(0, 99),
    **{name: st.text("ab1", max_size=2) for name in ("store", "sku", "style", "colour", "size")},
    category=st.text("ab1", max_size=2),
)


def fingerprint(lines: list[Line]) -> bytes:
    made = Fingerprint()
    for line in lines:
        made.add(line)
    return made.digest()


@given(st.lists(LINES, max_size=3), st.lists(LINES, max_size=3))
def test_fingerprints_are_equal_when_lines_are(one: list[Line], two: list[Line]) -> None:
    assert (fingerprint(one) == fingerprint(two)) == (one == two)


def test_a_rejected_line_is_left_out_and_told_of() -> None:
    good = pb.StockLine(row=2, store="berlin", sku="A", on_hand_units=1)
    bad = pb.StockLine(row=3, store="Berlin", sku="a", on_hand_units=-1)
    reader = ImportReader(NOW)
    batch = reader.batch(pb.ImportStockRequest(request_id=str(uuid4()), lines=[good, bad]))
    assert [line.row for line in batch.lines] == [2]
    assert batch.rejected_lines == 1
    assert [found.field for found in batch.violations] == [
        "lines[3].store",
        "lines[3].sku",
        "lines[3].on_hand_units",
    ]
    assert reader.heading().count_time == NOW
