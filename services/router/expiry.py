"""Says in time that nobody renews a leaf: long before it ends, and then that it has ended.

Whoever renews does so after two thirds of a leaf's life (`renewal`). A day later somebody is told,
and each day from then on.
"""

import datetime as dt
from collections.abc import Mapping

import structlog
from cryptography import x509

from services.chassis.clock import Clock
from services.router.leaf import Leaf

GRACE = dt.timedelta(days=1)
AGAIN = dt.timedelta(days=1)

log = structlog.get_logger()


class Expiry:
    """Of the leaves in force."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._good: dict[str, x509.Certificate] = {}  # By identity.
        self._tell: dict[str, dt.datetime] = {}  # When there is something to say, by identity.

    def follow(self, leaves: Mapping[str, Leaf]) -> None:
        """Takes ``leaves``, which were checked, in place of those before."""
        read = {name: x509.load_pem_x509_certificate(leaf.chain) for name, leaf in leaves.items()}
        self._tell = {
            name: self._tell[name] if one == self._good.get(name) else _late(one)
            for name, one in read.items()
        }
        self._good = read

    def look(self) -> None:
        """Warns of what is late, and of nothing twice on one day."""
        now = self._clock()
        for identity, at in self._tell.items():
            if now < at:
                continue
            until = self._good[identity].not_valid_after_utc
            if now < until:
                log.warning("certificate_not_renewed", identity=identity, until=until.isoformat())
                self._tell[identity] = min(now + AGAIN, until)
            else:
                log.error("certificate_expired", identity=identity, until=until.isoformat())
                self._tell[identity] = now + AGAIN


def _late(one: x509.Certificate) -> dt.datetime:
    life = one.not_valid_after_utc - one.not_valid_before_utc
    # Of a short life a day may be all that is left.
    return one.not_valid_before_utc + life * 2 / 3 + min(GRACE, life / 6)
