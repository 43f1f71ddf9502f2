"""Sums by code agree with adding up one by one."""

import numpy as np

from services.forecast.engine.promo.sums import by_code


def test_rows_of_one_code_are_added_up_and_codes_without_rows_left_out() -> None:
    values = np.random.default_rng(1).normal(size=(6, 2, 3))
    codes = np.array([4, 0, 4, 2, 0, 4])
    present, found = by_code(values, codes)
    assert present.tolist() == [0, 2, 4]
    expected = np.zeros((5, 2, 3))
    np.add.at(expected, codes, values)
    np.testing.assert_allclose(found, expected[present])
