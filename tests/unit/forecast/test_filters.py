"""What questions may say of attributes and stores."""

import pytest

from services.forecast.wire.filters import are_attributes, are_stores, is_attribute
from services.forecast.wire.lines import is_name


@pytest.mark.parametrize("name", ["category", "fabric-weight", "2nd-colour", "a" * 63])
def test_what_an_import_may_call_an_attribute_may_be_asked_about(name: str) -> None:
    assert is_name(name)
    assert is_attribute(name)


@pytest.mark.parametrize("name", ["", "Colour", "two words", "colour\n", "a" * 70])
def test_what_names_no_attribute_is_refused(name: str) -> None:
    assert not is_attribute(name)


def test_attributes_are_counted_and_their_values_printable() -> None:
    assert are_attributes({"colour": "navy", "style": ""}, 2)
    assert not are_attributes({"colour": "navy", "style": ""}, 1)
    assert not are_attributes({"colour": "na\x00vy"}, 2)
    assert not are_attributes({"colour": "n" * 129}, 2)


def test_stores_are_counted_and_none_stands_for_all() -> None:
    assert are_stores(["berlin", "paris"], 2)
    assert not are_stores(["berlin", "paris"], 1)
    assert not are_stores(["-"], 2)
