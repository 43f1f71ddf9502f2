"""The engine in a process of its own: a history on standard input, its forecast on standard output.

`python -m services.forecast.worker`. A process, not a thread: numpy holds Python's lock between its
many short steps, and calls must go on being answered. It can also be ended with its call.
"""

import asyncio
import os
import resource
import subprocess
import sys

import structlog

from services.forecast import daily
from services.forecast.history import (
    History,
    Result,
    pack_history,
    pack_outcome,
    unpack_history,
    unpack_outcome,
)

SECRETS = "HEMLINE_"
MOST_BYTES = 6 * 1024**3
"""Of the process' address space. Without it, the kernel may end another process of the host for
what one tenant's history takes; with it, the one run fails."""

log = structlog.get_logger()


async def compute(history: History, horizon: int) -> Result:
    """Forecasts in a new process, which does not outlive this call.

    Raises:
        RuntimeError: the process failed. What it said is in the log.
    """
    # Not asyncio's own: under uvloop that forks, and gRPC's fork handlers kill the child now and
    # then. `subprocess` uses vfork, which runs none.
    process = await asyncio.to_thread(_start)
    try:
        answer, complaint = await asyncio.to_thread(
            process.communicate, pack_history(history, horizon)
        )
    finally:
        # If the call has gone away: this also ends the thread that waits for the answer.
        process.kill()
    if process.returncode != 0:
        log.error("worker_failed", code=process.returncode, stderr=complaint.decode()[-2000:])
        raise RuntimeError("The forecasting process failed.")
    return unpack_outcome(answer)


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # No passwords where none are needed.
        env={name: value for name, value in os.environ.items() if not name.startswith(SECRETS)},
    )


def bound_memory(most_bytes: int = MOST_BYTES) -> None:
    """Makes this process fail, not its host, where it asks for more. Never loosens a limit."""
    limits = [limit for limit in resource.getrlimit(resource.RLIMIT_AS) if limit >= 0]
    most = min([most_bytes, *limits])  # -1 stands for no limit.
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def main() -> None:
    bound_memory()
    history, horizon = unpack_history(sys.stdin.buffer.read())
    outcome = daily.forecast(history.panel(), history.products, horizon)
    sys.stdout.buffer.write(pack_outcome(outcome))


if __name__ == "__main__":
    main()
