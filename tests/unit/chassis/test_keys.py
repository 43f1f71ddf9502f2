"""The ring of keys: what it knows it keeps, and what it cannot ask it does not deny."""

import asyncio
import base64
from collections.abc import Iterable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from services.chassis import keys
from services.chassis.errors import Unavailable
from services.chassis.keys import Jwk, KeyRing, KeysUnavailable


def jwk(kid: str) -> Jwk:
    numbers = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    x, y = (
        base64.urlsafe_b64encode(number.to_bytes(32, "big")).decode().rstrip("=")
        for number in (numbers.x, numbers.y)
    )
    return Jwk(kid, "https://issuer", x, y)


class Region:
    """Answers with its keys, unless it is down."""

    def __init__(self, *kids: str) -> None:
        self.keys = [jwk(kid) for kid in kids]
        self.down = False

    async def read(self) -> Iterable[Jwk]:
        if self.down:
            raise Unavailable("down")
        return self.keys


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "REFRESH_SECONDS", 0)


async def test_an_unknown_key_is_nobodys_if_all_regions_say_so() -> None:
    ring = KeyRing({"a": Region("k1").read, "b": Region("k2").read})
    assert await ring.find("k1") is not None
    assert await ring.find("k2") is not None
    assert await ring.find("k3") is None


async def test_an_unknown_key_is_unavailable_while_a_region_is_silent() -> None:
    here, there = Region("k1"), Region("k2")
    ring = KeyRing({"a": here.read, "b": there.read})
    there.down = True
    assert await ring.find("k1") is not None
    with pytest.raises(KeysUnavailable):
        await ring.find("k2")
    there.down = False
    assert await ring.find("k2") is not None


async def test_a_key_once_read_stays_while_its_region_is_down() -> None:
    region = Region("k1")
    ring = KeyRing({"a": region.read})
    assert await ring.find("k1") is not None
    region.down = True
    assert await ring.find("k1") is not None


async def test_a_malformed_key_spoils_no_other() -> None:
    region = Region("k1")
    region.keys.insert(0, Jwk("bad", "https://issuer", "AAAA", "AAAA"))
    ring = KeyRing({"a": region.read})
    assert await ring.find("k1") is not None
    assert await ring.find("bad") is None


async def test_an_identity_that_does_not_answer_is_silent() -> None:
    ring = keys.ring_of(["127.0.0.1:1"], "https://issuer")
    with pytest.raises(KeysUnavailable):
        await ring.find("k1")


async def test_a_ring_that_follows_knows_keys_before_they_are_asked_for() -> None:
    region = Region("k1")
    ring = KeyRing({"a": region.read})
    following = asyncio.create_task(ring.follow())
    await asyncio.sleep(0)
    await asyncio.sleep(0.01)
    region.down = True
    assert await ring.find("k1") is not None
    following.cancel()


async def test_a_ring_is_known_when_the_first_region_has_answered() -> None:
    region = Region("k1")
    region.down = True
    ring = KeyRing({"a": region.read})
    following = asyncio.create_task(ring.follow())
    known = asyncio.create_task(ring.known())
    await asyncio.wait([known], timeout=0.05)
    assert not known.done()
    region.down = False
    async with asyncio.timeout(10):
        await known
    following.cancel()
