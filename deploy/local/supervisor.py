"""Starts the parts of a world as soon as what they need is ready, and keeps them running."""

import asyncio
import time
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet

from deploy.local import process, shutdown
from deploy.local.board import Board
from deploy.local.parts import Kind, Part
from deploy.local.state import WELL, PartState, WorldState

POLL_SECONDS = 0.05
QUICK_DEATH_SECONDS = 10.0
QUICK_DEATHS = 3
BACKOFF_SECONDS = 0.2
LONGEST_BACKOFF_SECONDS = 10.0
LOG_CHECK_SECONDS = 5.0
HOLD_POLL_SECONDS = 0.1
NEEDS_SECONDS = 60.0


class StartFailed(Exception):
    """The world cannot start. The message says why, and shows the log of the part to blame."""


class Supervisor:
    """Keeps parts running."""

    def __init__(
        self,
        parts: Sequence[Part],
        board: Board,
        held: Callable[[], AbstractSet[str]] = frozenset,
    ) -> None:
        """Runs ``parts``, which come in an order in which they can be started.

        ``held`` names the servers that are not to be started again when they have ended.
        """
        self._parts = parts
        self._held = held
        self._board = board
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._spawning: set[asyncio.Task[asyncio.subprocess.Process]] = set()
        self._ready = {part.name: asyncio.Event() for part in parts}

    async def run(self, stop: asyncio.Event) -> None:
        """Runs the world until ``stop`` is set. Nothing of it is left when this returns or raises.

        Raises:
            StartFailed: a part fails before all are ready.
        """
        began = time.monotonic()
        for part in self._parts:
            process.turn_over(self._board.log(part))
        keepers = [asyncio.create_task(self._keep(part)) for part in self._parts]
        limiter = asyncio.create_task(self._limit_logs())
        ready = asyncio.create_task(self._all_ready())
        stopping = asyncio.create_task(stop.wait())
        try:
            await _any(keepers, (ready, stopping))
            if not stop.is_set():
                self._board.status.ready_seconds = round(time.monotonic() - began, 1)
                self._board.world(WorldState.READY)
                await _any(keepers, (stopping,))
        except StartFailed as error:
            self._board.world(WorldState.STOPPING, str(error))
            raise
        finally:
            self._board.world(WorldState.STOPPING)
            tasks = (*keepers, limiter, ready, stopping)
            for task in tasks:
                task.cancel()
            # Spawning goes on when its keeper is cancelled, so that no process is lost sight of.
            await asyncio.gather(*tasks, *self._spawning, return_exceptions=True)
            await shutdown.stop_all(self._parts, self._running, self._board)

    def kill(self) -> None:
        """Ends every process at once, for somebody who will not wait."""
        for running in self._running.values():
            process.kill(running)

    async def _keep(self, part: Part) -> None:
        for need in part.needs:
            await self._ready[need].wait()
        match part.kind:
            case Kind.TASK:
                await self._run_task(part)
            case Kind.GATE:
                await self._pass_gate(part)
            case Kind.SERVER:
                await self._keep_server(part)

    async def _run_task(self, part: Part) -> None:
        if part.memo is None or not part.memo.holds():
            running = await self._start(part)
            if await running.wait() != 0:
                raise self._failed(part, f"ended with exit code {running.returncode}")
            self._board.ended(part)
            if part.memo:
                part.memo.keep()
        self._board.become(part, PartState.DONE)
        self._ready[part.name].set()

    async def _pass_gate(self, part: Part) -> None:
        self._board.become(part, PartState.STARTING)
        if not await _until_ready(part, None):
            self._board.become(part, PartState.FAILED)
            raise StartFailed(
                f"{part.name}: {part.probe} says no after {part.start_seconds:.0f} s."
            )
        self._board.ready(part)
        self._ready[part.name].set()

    async def _keep_server(self, part: Part) -> None:
        """Starts a server again and again, each time a little later if it dies early."""
        quick_deaths = 0
        while True:
            began = time.monotonic()
            running = await self._start(part)
            if await _until_ready(part, running):
                self._board.ready(part)
                self._ready[part.name].set()
                await running.wait()
            elif running.returncode is None:
                if self._starting():
                    raise self._failed(part, f"not ready after {part.start_seconds:.0f} s")
                await process.stop(running, part.stop_signal)
            if self._starting() and self._refused(part, running):
                raise self._failed(part, "refuses to start")
            early = time.monotonic() - began < QUICK_DEATH_SECONDS
            quick_deaths = quick_deaths + 1 if early else 1
            if self._starting() and quick_deaths >= QUICK_DEATHS:
                code = running.returncode
                raise self._failed(part, f"ended {quick_deaths} times, exit code {code}")
            if await self._was_held(part):
                quick_deaths = 0
                await self._needs_again(part)
                continue
            self._board.restarting(part)
            backoff_seconds = BACKOFF_SECONDS * 2 ** min(quick_deaths - 1, 10)
            await asyncio.sleep(min(backoff_seconds, LONGEST_BACKOFF_SECONDS))

    async def _was_held(self, part: Part) -> bool:
        """Waits until ``part`` may be started again. Returns whether it had to."""
        if part.name not in self._held():
            return False
        self._board.ended(part)
        self._board.become(part, PartState.HELD)
        while part.name in self._held():  # noqa: ASYNC110 - in a file, which has no event.
            await asyncio.sleep(HOLD_POLL_SECONDS)
        return True

    async def _needs_again(self, part: Part) -> None:
        """Waits a while for what ``part`` needs: it may have been held as well."""
        deadline = time.monotonic() + NEEDS_SECONDS
        status = self._board.status
        while any(status.parts[need].state not in WELL for need in _all_needs(part, self._parts)):
            if time.monotonic() > deadline:
                return
            await asyncio.sleep(POLL_SECONDS)

    async def _start(self, part: Part) -> asyncio.subprocess.Process:
        spawning = asyncio.create_task(self._spawn(part))
        self._spawning.add(spawning)
        spawning.add_done_callback(self._spawning.discard)
        try:
            return await asyncio.shield(spawning)
        except OSError as error:
            self._board.become(part, PartState.FAILED)
            raise StartFailed(f"{part.name}: {part.command[0]}: {error.strerror}.") from None

    async def _spawn(self, part: Part) -> asyncio.subprocess.Process:
        running = await process.start(part, self._board.log(part))
        self._running[part.name] = running
        self._board.started(part, running.pid)
        return running

    async def _all_ready(self) -> None:
        for event in self._ready.values():
            await event.wait()

    async def _limit_logs(self) -> None:
        while True:
            await asyncio.sleep(LOG_CHECK_SECONDS)
            for part in self._parts:
                await asyncio.to_thread(process.limit, self._board.log(part))

    def _starting(self) -> bool:
        return self._board.status.state is WorldState.STARTING

    def _refused(self, part: Part, running: asyncio.subprocess.Process) -> bool:
        """Whether the part has ended because of its settings, which no other try would change."""
        said = process.tail(self._board.log(part))
        refusals = (line for line in said if part.refusal and line.startswith(part.refusal))
        return running.returncode == 1 and any(refusals)

    def _failed(self, part: Part, what: str) -> StartFailed:
        self._board.become(part, PartState.FAILED)
        log = self._board.log(part)
        lines = "\n".join(f"  {line}" for line in process.tail(log))
        return StartFailed(f"{part.name}: {what}. The end of {log}:\n{lines}")


def _all_needs(part: Part, parts: Sequence[Part]) -> AbstractSet[str]:
    """What ``part`` needs, and what that needs: between two servers there may be a task."""
    by_name = {each.name: each for each in parts}
    found: set[str] = set()
    waiting = list(part.needs)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += by_name[name].needs
    return found


async def _until_ready(part: Part, running: asyncio.subprocess.Process | None) -> bool:
    """Returns False if the process ends, or time runs out, before the probe says yes."""
    if part.probe is None:
        return True
    deadline = time.monotonic() + part.start_seconds
    while time.monotonic() < deadline and (running is None or running.returncode is None):
        if await part.probe.ready():
            return True
        await asyncio.sleep(POLL_SECONDS)
    return False


async def _any(
    keepers: Sequence[asyncio.Task[None]],
    endings: Sequence[asyncio.Task[None] | asyncio.Task[bool]],
) -> None:
    """Waits for one of ``endings``. Raises what a keeper raises before."""
    pending: set[asyncio.Task[None] | asyncio.Task[bool]] = {*keepers, *endings}
    while not any(ending.done() for ending in endings):
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
