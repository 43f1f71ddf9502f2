"""Signing keys of every jurisdiction, polled from the identity services and kept.

A key once read stays. An identity that is down takes none away, and neither does a sibling that
answers in its stead and knows other keys. Foreign keys are asked for at the foreign edge, and are
public. What it answers is not ours to trust: a key that Envoy would not take is left out, since
Envoy would refuse the keys of every jurisdiction with it.
"""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence

import grpc.aio
import structlog
from cryptography.exceptions import UnsupportedAlgorithm

from services.chassis import keys
from services.chassis.keys import Jwk
from services.chassis.topology import Topology

POLL_SECONDS = 1.0

KEYS_LIMIT = 40
"""For each jurisdiction. A region signs with one key, and tells at most ten."""

KID = re.compile(r"[A-Za-z0-9_-]{1,128}")
COORDINATE = re.compile(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")
"""32 bytes in base64url without padding. Of the last character's six bits two must be zero."""

Keys = Mapping[str, tuple[Jwk, ...]]

log = structlog.get_logger()


class KeySource:
    """Polls each address on its own, so that a slow one keeps nobody waiting."""

    def __init__(
        self,
        topology: Topology,
        addresses: Mapping[str, Sequence[str]],
        on_change: Callable[[Keys], object],
    ) -> None:
        self._topology = topology
        self._addresses = addresses
        self._on_change = on_change
        self._kept = {jurisdiction: KeptKeys() for jurisdiction in addresses}
        self._answers: dict[tuple[str, str], tuple[Jwk, ...]] = {}

    async def run(self) -> None:
        """Polls until cancelled."""
        async with asyncio.TaskGroup() as group:
            for jurisdiction, addresses in self._addresses.items():
                for address in addresses:
                    group.create_task(self._follow(jurisdiction, address))

    async def _follow(self, jurisdiction: str, address: str) -> None:
        silent = False
        while True:
            try:
                found = await keys.fetch(address, self._topology.jurisdictions[jurisdiction].issuer)
            except grpc.aio.AioRpcError as error:
                if not silent:
                    code = error.code().name
                    log.warning("signing_keys_unreadable", address=address, code=code)
                silent = True
            else:
                silent = False
                self.take(jurisdiction, address, found)
            await asyncio.sleep(POLL_SECONDS)

    def take(self, jurisdiction: str, address: str, found: tuple[Jwk, ...]) -> None:
        """Adds what ``address`` has answered to what is known of ``jurisdiction``."""
        if self._answers.get((jurisdiction, address)) == found:
            return
        self._answers[jurisdiction, address] = found
        # Before they are looked at: a long answer must not cost the others their time.
        usable = tuple(key for key in found[:KEYS_LIMIT] if _usable(key))
        if len(found) > KEYS_LIMIT:
            _warn("signing_keys_too_many", jurisdiction, address, len(found))
        if refused := min(len(found), KEYS_LIMIT) - len(usable):
            _warn("signing_keys_malformed", jurisdiction, address, refused)
        kept = self._kept[jurisdiction]
        before = kept.in_force()
        if dropped := kept.take(address, usable):
            _warn("signing_keys_dropped", jurisdiction, address, dropped)
        if kept.in_force() != before:
            self._on_change(self.known())

    def known(self) -> Keys:
        """By jurisdiction, what any of its addresses has told. One without keys is left out."""
        in_force = {jurisdiction: kept.in_force() for jurisdiction, kept in self._kept.items()}
        return {jurisdiction: found for jurisdiction, found in in_force.items() if found}


class KeptKeys:
    """One jurisdiction's keys: of all that were told, those that still are, then the newest."""

    def __init__(self) -> None:
        self._keys: dict[str, Jwk] = {}  # By key id, the one first told first.
        self._told: dict[str, frozenset[str]] = {}  # Key ids of each address's last answer.

    def take(self, address: str, found: Sequence[Jwk]) -> int:
        """Adds ``found``, newest first. Returns how many keys have no place among those in force.

        A key id keeps its first key: two addresses that disagree would otherwise take turns.
        """
        self._told[address] = frozenset(key.kid for key in found)
        for key in reversed(found):
            self._keys.setdefault(key.kid, key)
        ranked = self._ranked()
        still_told = frozenset().union(*self._told.values())
        # What is told stays known even without a place, or it would come back as the newest.
        self._keys = {
            kid: key
            for kid, key in self._keys.items()
            if kid in still_told or key in ranked[:KEYS_LIMIT]
        }
        return max(0, len(ranked) - KEYS_LIMIT)

    def in_force(self) -> tuple[Jwk, ...]:
        """At most `KEYS_LIMIT` keys, by key id."""
        return tuple(sorted(self._ranked()[:KEYS_LIMIT], key=lambda key: key.kid))

    def _ranked(self) -> list[Jwk]:
        still_told = frozenset().union(*self._told.values())
        newest_first = reversed(self._keys.values())
        return sorted(newest_first, key=lambda key: key.kid not in still_told)


def _usable(key: Jwk) -> bool:
    """Whether Envoy will take it. Python alone would decode what is no base64 at all."""
    if not (KID.fullmatch(key.kid) and all(map(COORDINATE.fullmatch, (key.x, key.y)))):
        return False
    try:
        key.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return False
    return True


def _warn(event: str, jurisdiction: str, address: str, count: int) -> None:
    log.warning(event, jurisdiction=jurisdiction, address=address, count=count)
