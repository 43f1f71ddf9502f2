import numpy as np
import pytest

from services.forecast.engine.intervals import coverage

LOW, HIGH = np.full((3, 4), 1.0), np.full((3, 4), 3.0)
ACTUAL = np.array([[1, 3, 2, 0], [4, np.nan, 2, 2], [np.nan] * 4])


def test_both_ends_are_inside_and_what_is_unknown_does_not_count() -> None:
    found = coverage.of(ACTUAL, LOW, HIGH)
    assert found == coverage.Coverage(inside=5, below=1, above=1, series=2)
    assert found.share == pytest.approx(5 / 7)


def test_segments_are_of_series_or_of_single_periods() -> None:
    segments = {
        "store": np.array([[0], [1], [1]]),
        "half": np.array([[0, 0, 1, 1]]),
        "none": np.full((3, 1), -1),
    }
    found = coverage.by_segment(ACTUAL, LOW, HIGH, segments)
    assert found["store"] == {0: coverage.Coverage(3, 1, 0, 1), 1: coverage.Coverage(2, 0, 1, 1)}
    assert found["half"][0].records == 3
    assert found["none"] == {}


def test_parts_add_up() -> None:
    parts = [coverage.of(ACTUAL, LOW, HIGH)] * 2
    assert coverage.together(parts, same_series=True) == coverage.Coverage(10, 2, 2, 2)
    assert coverage.together(parts, same_series=False).series == 4


def test_nothing_recorded_is_no_coverage() -> None:
    assert np.isnan(coverage.of(ACTUAL[2:], LOW[2:], HIGH[2:]).share)
