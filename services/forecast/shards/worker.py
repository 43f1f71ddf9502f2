"""The engine in a process of its own: a shard on standard input, what it found on standard output.

`python -m services.forecast.shards.worker`. A process, not a thread: numpy holds Python's lock
between its many short steps, and calls must go on being answered. It can also be ended with its
job. A process for each shard, not a standing pool: its memory is gone with it, and to start takes a
second, where a shard of any size takes many.
"""

import asyncio
import os
import resource
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import structlog

from services.forecast.shards.executor import WorkFailed

SECRETS = "HEMLINE_"
MOST_BYTES = 6 * 1024**3
"""Of the process' address space. Without it, the kernel may end another process of the host for
what one tenant's history takes; with it, the one shard fails."""
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
NICENESS = 5
"""Calls are answered first."""
LOOK_SECONDS = 0.5
MOST_AT_ONCE = 64  # As `ForecastSettings.shard_slots` allows.

log = structlog.get_logger()


class Processes:
    """Computes on this machine."""

    def __init__(self) -> None:
        # Of its own: a thread waits for each process, and others need asyncio's few.
        self._threads = ThreadPoolExecutor(MOST_AT_ONCE, "shard")

    async def run(self, task: bytes) -> bytes:
        """See `Executor`. The process does not outlive this call."""
        # Not asyncio's own: under uvloop that forks, and gRPC's fork handlers kill the child now
        # and then. `subprocess` uses vfork, which runs none.
        loop = asyncio.get_running_loop()
        process = await loop.run_in_executor(self._threads, _start)
        try:
            answer, complaint = await loop.run_in_executor(self._threads, process.communicate, task)
        finally:
            # If the call has gone away: this also ends the thread that waits for the answer.
            process.kill()
        if process.returncode != 0:
            said = complaint.decode(errors="replace")[-2000:]
            log.error("worker_failed", code=process.returncode, stderr=said)
            raise WorkFailed("The forecasting process failed.")
        return answer


def _start() -> subprocess.Popen[bytes]:
    # No passwords where none are needed.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(SECRETS)}
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=inherited | ONE_THREAD,
    )


def bound_memory(most_bytes: int = MOST_BYTES) -> None:
    """Makes this process fail, not its host, where it asks for more. Never loosens a limit."""
    limits = [limit for limit in resource.getrlimit(resource.RLIMIT_AS) if limit >= 0]
    most = min([most_bytes, *limits])  # -1 stands for no limit.
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def end_with_parent() -> None:
    """Ends this process soon after its parent, however that ended."""
    parent = os.getppid()

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK_SECONDS)
        os._exit(1)

    threading.Thread(target=look, daemon=True).start()


def main() -> None:
    bound_memory()
    end_with_parent()
    os.nice(NICENESS)
    # Imported late: a parent that only starts workers needs no engine.
    from services.forecast.shards.compute import compute
    from services.forecast.shards.data import Task

    found = compute(Task.from_bytes(sys.stdin.buffer.read()))
    sys.stdout.buffer.write(found.to_bytes())


if __name__ == "__main__":
    main()
