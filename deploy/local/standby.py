"""Runs one copy of a region's PostgreSQL, as the primary or as a standby of it.

    python -m deploy.local.standby RECORD HOME AT PLACE=PORT=FOLDER...

RECORD says where the primary of HOME is; the copy at AT becomes the server that this process turns
into. Each PLACE names a copy. Told HEMLINE_SUPERUSER_PASSWORD and HEMLINE_REPLICATION_PASSWORD.

A copy that was the primary is rewound to the one that is, or copied anew: there are never two.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local import copies
from deploy.local.copies import Copy
from deploy.local.environment import base
from deploy.local.parts import PlanError
from deploy.local.postgres import Postgres, PostgresError

RETRY_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Order:
    """What the command line says."""

    record: Path
    copy: Copy
    all: tuple[Copy, ...]

    def primary(self) -> Copy:
        """As the record says now."""
        home = self.copy.home
        at = copies.read(self.record, {home: [copy.at for copy in self.all]}).get(home, home)
        return next(copy for copy in self.all if copy.at == at)


def command(record: Path, copy: Copy, everywhere: Sequence[Copy]) -> tuple[str, ...]:
    """The command that runs ``copy``. Holds no secret."""
    places = (f"{each.at}={each.server.port}={each.server.data}" for each in everywhere)
    module = ("-m", "deploy.local.standby")
    return (sys.executable, *module, str(record), copy.home, copy.at, *places)


def order_from(arguments: Sequence[str], password: str) -> Order:
    """Reads the command line. Raises ValueError."""
    record, home, at, *places = arguments
    found = []
    for place in places:
        name, port, folder = place.split("=", 2)
        found.append(Copy(home, name, Postgres(Path(folder), int(port), password)))
    own = next(copy for copy in found if copy.at == at)
    return Order(Path(record), own, tuple(found))


def ready_command(order: Order, password: str) -> list[str]:
    """Makes the data what the record says it is. Returns the command of the server.

    Waits for the primary where nothing can be done without it.

    Raises:
        PostgresError: this should be the primary and has no data.
    """
    while True:
        primary = order.primary()
        if primary == order.copy:
            if not (order.copy.server.data / "PG_VERSION").exists():
                raise PostgresError(f"{order.copy.part} is the primary, and its data is gone")
            return order.copy.server.command()
        ready = _following(order.copy, primary, password)
        if ready:
            return ready
        time.sleep(RETRY_SECONDS)


def _following(copy: Copy, primary: Copy, password: str) -> list[str] | None:
    """Returns the command of a standby of ``primary``, or None if that must be waited for."""
    from deploy.local import replication  # Slow to import, and primaries do not need it.

    standby = replication.is_standby(copy)
    replication.keep_password(copy, password)
    try:
        kept = replication.prepare(primary.server, copy, password)
    except replication.NoPrimary:
        # Just when there is no primary, a standby must be there to read from.
        return _standby_command(copy, primary) if standby else None
    try:
        if not standby or not kept:
            _align(copy, primary)
    except subprocess.CalledProcessError:
        return None
    replication.make_standby(copy)
    return _standby_command(copy, primary)


def _align(copy: Copy, primary: Copy) -> None:
    """Makes the data what the primary's was a while ago. Raises CalledProcessError."""
    from deploy.local import replication

    if (copy.server.data / "PG_VERSION").exists():
        try:
            if not replication.is_standby(copy):
                replication.rewind(primary.server, copy)
                return
        except subprocess.CalledProcessError:
            sys.stdout.write(f"{copy.part}: cannot be rewound; copied anew\n")
    replication.base_backup(primary.server, copy)


def _standby_command(copy: Copy, primary: Copy) -> list[str]:
    from deploy.local import replication

    return [
        *copy.server.command(shared_buffers_mb=16),
        *("-c", f"primary_conninfo={replication.source(primary.server, copy)}"),
        *("-c", f"primary_slot_name={copy.slot}"),
    ]


def main() -> None:
    order = order_from(sys.argv[1:], os.environ["HEMLINE_SUPERUSER_PASSWORD"])
    try:
        server = ready_command(order, os.environ["HEMLINE_REPLICATION_PASSWORD"])
    except (PostgresError, PlanError) as problem:
        sys.exit(f"standby: {problem}")
    # This process becomes the server: same id, same signals, none of the passwords.
    os.execvpe(server[0], server, base())  # noqa: S606


if __name__ == "__main__":
    main()
