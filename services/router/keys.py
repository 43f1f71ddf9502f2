"""Signing keys of every jurisdiction, polled from the identity services and kept.

What an address has once told stays until it tells otherwise: an identity that is down takes no key
away. Foreign keys are asked for at the foreign edge, and are public.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import grpc.aio
import structlog
from cryptography.exceptions import UnsupportedAlgorithm

from services.chassis import keys
from services.chassis.keys import Jwk
from services.chassis.topology import Topology

POLL_SECONDS = 1.0

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
        self._told: dict[tuple[str, str], tuple[Jwk, ...]] = {}

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
                self._take(jurisdiction, address, found)
            await asyncio.sleep(POLL_SECONDS)

    def _take(self, jurisdiction: str, address: str, found: tuple[Jwk, ...]) -> None:
        usable = tuple(sorted((key for key in found if _usable(key)), key=lambda key: key.kid))
        # An identity without keys is one that has not started properly.
        if usable and self._told.get((jurisdiction, address)) != usable:
            self._told[jurisdiction, address] = usable
            self._on_change(self.known())

    def known(self) -> Keys:
        """By jurisdiction, what any of its addresses has told. One without keys is left out."""
        by_kid: dict[str, dict[str, Jwk]] = {}
        for (jurisdiction, _), told in self._told.items():
            by_kid.setdefault(jurisdiction, {}).update({key.kid: key for key in told})
        return {
            jurisdiction: tuple(found[kid] for kid in sorted(found))
            for jurisdiction, found in by_kid.items()
        }


def _usable(key: Jwk) -> bool:
    try:
        key.public_key()
    except (ValueError, UnsupportedAlgorithm):
        log.warning("signing_key_malformed", kid=key.kid)
        return False
    return True
