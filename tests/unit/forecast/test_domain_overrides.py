from datetime import date, timedelta
from uuid import uuid4

import pytest

from services.chassis.clock import utc_now
from services.forecast.domain.forecasts import Run, RunRequest, SeriesForecast
from services.forecast.domain.overrides import Applied, Steps, apply, steps_of

CUTOFF = date(2026, 5, 31)  # A Sunday.


def run_of(period: str, cutoff: date = CUTOFF) -> Run:
    request = RunRequest(uuid4(), 28)
    return Run(uuid4(), 1, request, cutoff, 1, "m", 0.8, 0.5, utc_now(), period)


def day(ahead: int) -> date:
    return CUTOFF + timedelta(days=ahead)


def forecast(mean: list[float], p90: list[float]) -> SeriesForecast:
    low = [units / 2 for units in p90]
    return SeriesForecast("berlin", "A", "a", sum(mean), mean, [0.0] * len(mean), low, p90)


@pytest.mark.parametrize(
    ("start", "end", "steps"),
    [
        (1, 1, Steps(1, 1)),
        (2, 28, Steps(2, 28)),
        (0, 1, None),
        (1, 29, None),
    ],
)
def test_days_of_a_daily_run(start: int, end: int, steps: Steps | None) -> None:
    assert steps_of(run_of("D"), day(start), day(end)) == steps


@pytest.mark.parametrize(
    ("start", "end", "steps"),
    [
        (1, 7, Steps(1, 1)),
        (1, 13, Steps(1, 1)),
        (7, 14, Steps(1, 2)),
        (8, 28, Steps(2, 4)),
        (1, 6, None),  # No week ends there.
        (22, 35, None),
    ],
)
def test_weeks_that_end_within_the_days(start: int, end: int, steps: Steps | None) -> None:
    assert steps_of(run_of("W"), day(start), day(end)) == steps


def test_a_later_run_keeps_what_was_said_of_its_days() -> None:
    said = Applied(uuid4(), day(2), [20.0, 30.0, 40.0], None)
    later = run_of("D", day(2))
    served = apply(later, forecast([1.0, 1.0, 1.0], [2.0, 2.0, 2.0]), [said])
    assert served.forecast.mean == [30.0, 40.0, 1.0]
    assert served.forecast.p90 == [60.0, 80.0, 2.0]
    assert served.system_mean == [1.0, 1.0, 1.0]


def test_weeks_are_laid_on_weeks() -> None:
    said = Applied(uuid4(), day(14), [20.0, 30.0], None)
    later = run_of("W", day(7))
    assert apply(later, forecast([1.0] * 3, [2.0] * 3), [said]).forecast.mean == [20.0, 30.0, 1.0]


def test_a_range_that_is_all_zero_moves_by_what_the_mean_does() -> None:
    said = Applied(uuid4(), day(1), [15.0, 10.0, 0.0], None)
    slow = forecast([0.05, 0.0, 0.05], [0.0, 0.0, 0.0])
    found = apply(run_of("D"), slow, [said]).forecast
    for quantile in (found.p10, found.p50, found.p90):
        assert quantile == pytest.approx([14.95, 10.0, 0.0])


def test_quantiles_never_cross_and_what_is_not_changed_stays_as_it_was() -> None:
    system = forecast([3.0, 0.2, 7.0], [6.0, 0.0, 9.0])
    said = Applied(uuid4(), day(1), [1.5, 0.1], 0.5)
    found = apply(run_of("D"), system, [said]).forecast
    assert found.mean == [1.5, 0.1, 7.0]
    assert (found.p10[2], found.p50[2], found.p90[2]) == (0.0, 4.5, 9.0)
    for low, middle, high in zip(found.p10, found.p50, found.p90, strict=True):
        assert 0 <= low <= middle <= high
