from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.forecast.engine.origins import past_origins
from tests.unit.forecast.engine.support import panel, poisson


def test_a_long_panel_holds_back_three_horizons_that_do_not_overlap() -> None:
    assert past_origins(panel(poisson(4, 132), ahead=8)) == (108, 116, 124)


def test_half_of_the_past_is_left_to_learn_from() -> None:
    assert past_origins(panel(poisson(4, 40), ahead=12)) == (28,)


def test_a_past_shorter_than_the_horizon_is_judged_on_its_last_third() -> None:
    assert past_origins(panel(poisson(4, 9), ahead=12)) == (6,)


def test_two_columns_are_too_few_to_hold_back_any() -> None:
    assert past_origins(panel(poisson(4, 2), ahead=1)) == ()


def test_series_that_have_all_just_begun_are_not_judged() -> None:
    units = np.full((4, 60), np.nan)
    units[:, 57:] = 1.0
    assert past_origins(panel(units, ahead=8)) == ()


@given(periods=st.integers(1, 400), ahead=st.integers(1, 90))
def test_every_origin_has_a_past_and_something_to_be_judged_on(periods: int, ahead: int) -> None:
    origins = past_origins(panel(np.ones((2, periods)), ahead))
    assert all(1 <= origin < periods for origin in origins)
    assert all(late - early == ahead for early, late in pairwise(origins))
