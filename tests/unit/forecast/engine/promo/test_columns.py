"""What a column is, told from its values."""

import numpy as np
import pytest

from services.forecast.engine.arrays import Floats
from services.forecast.engine.promo.columns import Column, Kind, read
from tests.unit.forecast.engine.support import panel, poisson

SERIES, PERIODS, AHEAD = 40, 60, 6
SHAPE = (SERIES, PERIODS + AHEAD)


def told(**known: Floats) -> dict[str, Column]:
    whole = panel(poisson(SERIES, PERIODS), AHEAD, known=known)
    return {column.name: column for column in read(whole, PERIODS, AHEAD)}


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(5)


def test_each_kind_is_told_from_its_values(random: np.random.Generator) -> None:
    found = told(
        flag=(random.random(SHAPE) < 0.1) * 1.0,
        codes=random.integers(0, 5, SHAPE) * 1.0,
        price=random.uniform(1, 9, SHAPE),
        discount=np.where(random.random(SHAPE) < 0.2, random.uniform(0.1, 0.5, SHAPE), 0.0),
        money=np.where(random.random(SHAPE) < 0.3, random.lognormal(7, 1, SHAPE), 0.0),
        celsius=random.normal(5, 10, SHAPE),
    )
    assert {name: column.kind for name, column in found.items()} == {
        "flag": Kind.FLAG,
        "codes": Kind.CODE,
        "price": Kind.RATIO,
        "discount": Kind.SHARE,
        "money": Kind.AMOUNT,
        "celsius": Kind.LINEAR,
    }


def test_a_price_is_divided_by_its_regular_price_whatever_their_names(
    random: np.random.Generator,
) -> None:
    regular = np.repeat(random.uniform(2, 9, (SERIES, 1)), SHAPE[1], axis=1)
    regular[:, 30:] *= 1.1
    cut = np.where(random.random(SHAPE) < 0.3, 0.8, 1.0)
    found = told(aa=regular, zz=regular * cut)
    assert found["zz"].over == "aa"
    assert found["aa"].over == ""


def test_two_unrelated_amounts_are_no_pair(random: np.random.Generator) -> None:
    found = told(a=random.uniform(1, 9, SHAPE), b=random.uniform(1, 9, SHAPE))
    assert not found["a"].over
    assert not found["b"].over


def test_a_price_with_a_few_zeros_is_still_a_price(random: np.random.Generator) -> None:
    price = random.uniform(1, 9, SHAPE)
    price[0, :3] = 0.0
    assert told(price=price)["price"].kind is Kind.RATIO


def test_what_cannot_be_learned_from_is_left_out(random: np.random.Generator) -> None:
    unknown = random.random(SHAPE)
    unknown[:, PERIODS:] = np.nan
    found = told(
        constant=np.ones(SHAPE),
        of_the_series=np.repeat(random.random((SERIES, 1)), SHAPE[1], axis=1),
        year=np.repeat(np.arange(SHAPE[1])[np.newaxis] // 30 + 2020.0, SERIES, axis=0),
        unknown_ahead=unknown,
        never_known=np.full(SHAPE, np.nan),
    )
    assert found == {}


def test_what_is_called_a_price_is_one_even_if_it_had_two_values(
    random: np.random.Generator,
) -> None:
    two = np.where(random.random(SHAPE) < 0.2, 8.0, 10.0)
    found = told(price=two, Shelf_Price=two, price_class=two)
    assert [found[name].kind for name in ("price", "Shelf_Price")] == [Kind.RATIO] * 2
    assert found["price_class"].kind is Kind.FLAG
