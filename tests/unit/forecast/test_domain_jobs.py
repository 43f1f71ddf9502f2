from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.tenancy import TenantId
from services.forecast.domain.jobs import Schedule

MOMENTS = st.integers(1_577_836_800, 2_051_222_400).map(
    lambda seconds: datetime.fromtimestamp(seconds, UTC)
)


@given(st.uuids(), MOMENTS, st.integers(0, 1439))
def test_nights_begin_a_day_apart_within_the_hour_after_the_start(
    tenant: UUID, after: datetime, start: int
) -> None:
    schedule = Schedule(start_minute=start)
    first = schedule.next_time(TenantId(tenant), after)
    assert after < first <= after + timedelta(days=1)
    minute = (first.hour * 60 + first.minute - start) % 1440
    assert 0 <= minute < 60
    second = schedule.next_time(TenantId(tenant), first)
    assert second - first == timedelta(days=1)


def test_tenants_begin_at_different_minutes() -> None:
    after = datetime(2026, 11, 21, 12, tzinfo=UTC)
    nights = {Schedule().next_time(TenantId(UUID(int=number)), after) for number in range(120)}
    assert len(nights) == 60


@pytest.mark.parametrize(("hour", "day"), [(0, 21), (2, 22)])
def test_the_night_that_lies_ahead_is_the_next(hour: int, day: int) -> None:
    after = datetime(2026, 11, 21, hour, 59, tzinfo=UTC)
    assert Schedule().next_time(TenantId(UUID(int=0)), after) == datetime(
        2026, 11, day, 1, tzinfo=UTC
    )
