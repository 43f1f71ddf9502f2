import numpy as np

from services.forecast.engine.segments import segments, selling_share
from tests.unit.forecast.engine.support import panel


def test_series_are_told_apart_by_age_and_by_how_often_they_sell() -> None:
    units = np.zeros((4, 120))
    units[0] = 1.0
    units[1, ::2] = 1.0
    units[2, ::10] = 1.0
    units[3] = np.where(np.arange(120) < 100, np.nan, 1.0)
    kinds = segments(panel(units, ahead=8))
    assert [kinds.names[code] for code in kinds.codes] == [
        "old, steady", "old, patchy", "old, rare", "young, steady",
    ]  # fmt: skip


def test_periods_before_the_first_sale_or_without_a_record_say_nothing() -> None:
    units = np.array([[0.0, 0.0, 1.0, np.nan, 0.0, 1.0], [0.0] * 6, [np.nan] * 6])
    assert np.allclose(selling_share(units), [2 / 3, 0.0, 0.0])
