"""Keys that are polled: once read they stay, and nobody's answer spoils another's keys."""

import base64
import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric import ec

from services.chassis.keys import Jwk
from services.router.cache import SnapshotCache
from services.router.keys import KEYS_LIMIT, KeySource
from services.router.publish import Publisher
from tests.unit.router.world import X, Y, facts, key

FACTS = facts()
EU = FACTS.topology.jurisdictions["EU"]
HOME, SIBLING, ABROAD = "10.0.0.1:1", "10.0.1.1:1", "10.0.2.1:1"


class Source(KeySource):
    """Without a network: answers are handed in."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        addresses = {"EU": [HOME, SIBLING], "US": [ABROAD]}
        super().__init__(FACTS.topology, addresses, self.heard.append)

    def kids(self, jurisdiction: str = "EU") -> set[str]:
        return {one.kid for one in self.known().get(jurisdiction, ())}


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as entries:
        yield entries


def eu(*numbers: int) -> tuple[Jwk, ...]:
    return tuple(key(FACTS.topology, "EU", str(number)) for number in numbers)


def us(**changed: str) -> Jwk:
    return dataclasses.replace(key(FACTS.topology, "US"), **changed)


def test_a_sibling_that_answers_instead_takes_no_key_away(source: Source) -> None:
    source.take("US", ABROAD, (us(kid="east"),))
    source.take("US", ABROAD, (us(kid="west"),))
    assert source.kids("US") == {"east", "west"}


def test_an_answer_without_keys_takes_none_away(source: Source) -> None:
    source.take("EU", HOME, eu(1))
    source.take("EU", HOME, ())
    assert source.kids() == {"EU-1"}


def test_only_a_change_is_published(source: Source) -> None:
    source.take("EU", HOME, eu(1))
    source.take("EU", SIBLING, eu(1))
    source.take("EU", HOME, eu(1))
    assert len(source.heard) == 1


def test_beyond_the_limit_the_oldest_that_nobody_tells_any_more_go(
    source: Source, logged: list[Any]
) -> None:
    source.take("EU", SIBLING, eu(1))
    for number in range(2, KEYS_LIMIT + 3):
        source.take("EU", HOME, eu(number))
    expected = {1, *range(4, KEYS_LIMIT + 3)}
    assert source.kids() == {f"EU-{number}" for number in expected}
    assert [entry["event"] for entry in logged] == ["signing_keys_dropped"] * 2


def test_addresses_that_tell_too_many_together_do_not_take_turns(source: Source) -> None:
    first, second = eu(*range(30)), eu(*range(30, 60))
    for order in ((first, second), (first[::-1], second[::-1]), (first, second)):
        source.take("EU", HOME, order[0])
        source.take("EU", SIBLING, order[1])
    assert len(source.heard) == 2
    assert len(source.kids()) == KEYS_LIMIT


def test_a_key_id_keeps_its_first_key(source: Source) -> None:
    numbers = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    x, y = (
        base64.urlsafe_b64encode(value.to_bytes(32, "big")).decode().rstrip("=")
        for value in (numbers.x, numbers.y)
    )
    source.take("US", ABROAD, (us(),))
    source.take("US", ABROAD, (us(x=x, y=y),))
    assert source.known()["US"] == (us(),)


HOSTILE = {
    "letters that are not base64": us(x="abcde!!!!"),
    "base64 with noise between": us(x=f"{X[:-1]}!!{X[-1]}"),
    "the other alphabet": us(x="+" + X[1:]),
    "padding": us(x=f"{X}="),
    "too short": us(x=X[:-1]),
    "spare bits set": us(x=f"{X[:-1]}R"),
    "a line end": us(y=f"{Y}\n"),
    "not on the curve": us(x=Y, y=X),
    "zero": us(x="A" * 43, y="A" * 43),
    "no key id": us(kid=""),
    "a long key id": us(kid="a" * 129),
    "a key id that is JSON": us(kid='"},{"kty":"oct"'),
    "a key id with a zero byte": us(kid="a\0b"),
    "a key id beyond ASCII": us(kid="é"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_answer_is_left_out_and_the_rest_is_published(
    source: Source, logged: list[Any], name: str
) -> None:
    cache = SnapshotCache(FACTS.nodes)
    publisher = Publisher(dataclasses.replace(FACTS, keys={}), cache)
    source.take("US", ABROAD, (HOSTILE[name],))
    source.take("EU", HOME, eu(1))
    assert source.known().keys() == {"EU"}
    assert publisher.update(keys=source.known())
    source.take("US", ABROAD, (HOSTILE[name], us(kid="good")))
    assert source.kids("US") == {"good"}
    assert publisher.update(keys=source.known())
    assert "signing_keys_malformed" in {entry["event"] for entry in logged}
    assert HOSTILE[name].x not in json.dumps(logged)


def test_a_long_answer_is_cut_and_told_once(source: Source, logged: list[Any]) -> None:
    answer = tuple(us(kid=f"k{number}") for number in range(5_000))
    for _ in range(3):
        source.take("US", ABROAD, answer)
    assert len(source.kids("US")) == KEYS_LIMIT
    assert [(entry["event"], entry["count"]) for entry in logged] == [
        ("signing_keys_too_many", 5_000)
    ]
    source.take("EU", HOME, eu(1))
    assert source.kids() == {"EU-1"}
