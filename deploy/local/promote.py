"""Moves the primary of a region to another region of its jurisdiction. There are never two.

In this order: the record says where the primary is from now on, the old one is ended, the new one
is promoted. Whatever starts the old one again, it reads the record and follows.
"""

import fcntl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from signal import SIGINT
from typing import Any

import psutil
import psycopg

from deploy.local import copies, lag, state
from deploy.local.copies import Copy
from deploy.local.lag import Lag, Role, Standing
from deploy.local.postgres import SUPERUSER
from deploy.local.refused import Refused
from deploy.local.world import World

STOP_SECONDS = 15.0
CATCH_UP_SECONDS = 15.0
PROMOTE_SECONDS = 30
POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Plan:
    """What is about to be done, and what it costs."""

    region: str
    old: Copy
    new: Copy
    planned: bool  # The old primary answers, and is stopped in good order: nothing is lost.
    lag: Lag

    @property
    def loss(self) -> str:
        """What may be lost, in words."""
        if self.planned:
            return "nothing: the primary is stopped first, and all of it is received"
        since = self.lag.last_commit or "the standby was made"
        return f"what {self.old.at} has committed after {since} and not sent yet"


@contextmanager
def alone(world: World) -> Iterator[None]:
    """Waits for whoever else promotes in this world. From `plan` on: what it has seen must hold."""
    world.places.primaries.parent.mkdir(parents=True, exist_ok=True)
    with world.places.primaries.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def plan(world: World, region: str, to: str | None, *, force: bool, back: bool) -> Plan:
    """Looks at the servers, and changes nothing. To be called under `alone`, as `carry_out`.

    Args:
        world: that runs.
        region: whose primary is to be moved.
        to: where; the sibling whose standby is the furthest, if None.
        force: whether also a primary that answers may be stopped.
        back: whether it goes home, in good order.

    Raises:
        Refused: why it cannot be.
    """
    everywhere = world.copies(region)
    if len(everywhere) < 2:  # noqa: PLR2004 - one alone has nobody to follow it.
        raise Refused(f"{region} has no standby: none of its jurisdiction's regions keeps one")
    old = world.primary(region)
    its = lag.standing(old)
    new, own = _target(everywhere, old, its, region if back else to)
    answers = its.role is Role.PRIMARY
    if answers and not (force or back):
        raise Refused(
            f"the primary of {region} answers at {old.at}; --force stops it first, in good order"
        )
    if answers and back and not own.streaming:
        raise Refused(f"{new.part} does not stream from the primary; see `hemline status`")
    planned = answers and own.streaming
    return Plan(region, old, new, planned, lag.between(new, own, old, its))


def _target(
    everywhere: tuple[Copy, ...], old: Copy, its: Standing, to: str | None
) -> tuple[Copy, Standing]:
    region = old.home
    allowed = [copy for copy in everywhere if to in (None, copy.at)]
    if not allowed:
        known = ", ".join(copy.at for copy in everywhere)
        raise Refused(f"{to} may not hold the data of {region}; {known} may")
    answers = its.role is Role.PRIMARY
    # The record may be ahead of a promotion that was interrupted: then it is finished.
    found = {copy: its if copy == old else lag.standing(copy) for copy in allowed}
    standbys = {copy: own for copy, own in found.items() if own.role is Role.STANDBY}
    if standbys:
        return furthest(standbys, planned=answers)
    if old in allowed and answers:
        raise Refused(f"the primary of {region} is at {old.at} already")
    raise Refused(f"no standby of {region} answers at {to or 'any sibling'}")


def furthest(standbys: Mapping[Copy, Standing], *, planned: bool) -> tuple[Copy, Standing]:
    """The one with the least to lose: what only others have received is lost.

    Args:
        standbys: some.
        planned: whether the primary answers. Those that stream from it then get all that there is.
    """
    return max(
        standbys.items(),
        key=lambda found: (planned and found[1].streaming, found[1].written),
    )


def carry_out(world: World, made: Plan, say: Callable[[str], object]) -> None:
    """Does it. Run again, it finishes what was interrupted.

    Raises:
        Refused: how far it came, and why no further.
    """
    copies.write(world.places.primaries, _record(world) | {made.region: made.new.at})
    say(f"{made.region}: its primary is recorded at {made.new.at}; {made.old.at} is fenced")
    # Not the old one alone: whoever else runs may follow it still, or be a primary that an
    # interrupted promotion has left. The supervisor starts them again, and they read the record.
    for copy in world.copies(made.region):
        if copy != made.new:
            _end(world, copy)
            say(f"{copy.part}: ended; it comes back as a standby")
    if made.planned:
        _catch_up(made.new)
    _promote(made.new)
    say(f"{made.new.part}: promoted")


def _record(world: World) -> dict[str, str]:
    allowed = {each: world.siblings(each) for each in world.regions}
    return copies.read(world.places.primaries, allowed)


def _end(world: World, copy: Copy) -> None:
    """Ends the server of ``copy``, whatever state it is in: a frozen one wakes up as a primary.

    Raises:
        Refused: it still takes writes.
    """
    answers = lag.standing(copy).role is not Role.SILENT
    for process in _processes(world, copy):
        if answers:
            with suppress(psutil.Error):
                process.send_signal(SIGINT)  # Fast and clean: standbys get all that there is.
                process.wait(STOP_SECONDS)
        _kill(process)
    if lag.standing(copy).role is Role.PRIMARY:
        raise Refused(f"{copy.part} still takes writes, and nothing was promoted; run it again")


def _processes(world: World, copy: Copy) -> list[psutil.Process]:
    """The server as the supervisor knows it, and as its own folder does."""
    known = state.read(world.places.status)
    part = known.parts.get(copy.part) if known else None
    found = part.process.find() if part and part.process else None
    listed = [found] if found else []
    with suppress(OSError, ValueError, psutil.Error):
        pid = int((copy.server.data / "postmaster.pid").read_text().split()[0])
        process = psutil.Process(pid)
        if process not in listed and str(copy.server.data) in process.cmdline():
            listed.append(process)
    return listed


def _kill(process: psutil.Process) -> None:
    with suppress(psutil.Error):
        family = [*process.children(recursive=True), process]
        for each in family:
            with suppress(psutil.Error):
                each.kill()
        psutil.wait_procs(family, timeout=STOP_SECONDS)


def _catch_up(copy: Copy) -> None:
    """Waits until all that was received can be read: the log ends with the primary's shutdown."""
    deadline = time.monotonic() + CATCH_UP_SECONDS
    while time.monotonic() < deadline:
        found = lag.standing(copy)
        if found.replayed >= found.written and not found.streaming:
            return
        time.sleep(POLL_SECONDS)


def _promote(copy: Copy) -> None:
    url = copy.server.url(SUPERUSER, "postgres")
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=2) as connection:
            query = "SELECT NOT pg_is_in_recovery() OR pg_promote(true, %s)"
            row: Any = connection.execute(query, (PROMOTE_SECONDS,)).fetchone()
    except psycopg.Error as error:
        raise Refused(
            f"{copy.part} was not promoted ({type(error).__name__}); run it again"
        ) from None
    if not row[0]:
        raise Refused(f"{copy.part} was not promoted within {PROMOTE_SECONDS} s; run it again")
