"""A real primary and its real streaming standby, run by the local world's own program."""

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from pydantic import SecretStr

from deploy.local import copies, lag, standby
from deploy.local.copies import Copy
from deploy.local.environment import base
from deploy.local.lag import Role
from deploy.local.postgres import Postgres
from tests.support.servers import START_SECONDS, free_port

HOME, SIBLING = "eu-central-1", "eu-west-1"


class Pair:
    """The data of `HOME`: its primary there and a standby at `SIBLING`, until told otherwise."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.record = folder / "primaries.json"
        server = Postgres(folder / "home" / "postgres", free_port(), "test-password")
        sibling = Postgres(folder / "sibling" / "standby", free_port(), "test-password")
        self.home, self.sibling = Copy(HOME, HOME, server), Copy(HOME, SIBLING, sibling)
        self.processes: dict[Copy, subprocess.Popen[bytes]] = {}

    @property
    def copies(self) -> tuple[Copy, Copy]:
        return self.home, self.sibling

    def start(self, copy: Copy) -> None:
        secrets = {"HEMLINE_SUPERUSER_PASSWORD": "test-password"}
        secrets["HEMLINE_REPLICATION_PASSWORD"] = "another-password"
        with (self.folder / f"{copy.at}.log").open("ab") as log:
            self.processes[copy] = subprocess.Popen(
                standby.command(self.record, copy, self.copies),
                env=base() | secrets,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def until(self, copy: Copy, role: Role) -> None:
        self.wait(lambda: lag.standing(copy).role is role, f"{copy.part} is no {role}")

    def wait(self, holds: Callable[[], bool], problem: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not holds():
            if time.monotonic() > deadline:
                logs = (path.read_text()[-2000:] for path in self.folder.glob("*.log"))
                raise AssertionError("\n".join((problem, *logs)))
            time.sleep(0.05)

    def level(self) -> None:
        """Waits until the standby shows all that the primary has written."""
        written = lag.standing(self.home).written
        self.wait(lambda: lag.standing(self.sibling).replayed >= written, "the standby lags")

    def signal(self, copy: Copy, number: signal.Signals) -> None:
        """Sends it to the server and all its processes."""
        process = psutil.Process(self.processes[copy].pid)
        for each in (process, *process.children(recursive=True)):
            each.send_signal(number)

    def kill(self, copy: Copy) -> None:
        self.signal(copy, signal.SIGKILL)
        self.processes[copy].wait()

    def move(self, copy: Copy) -> None:
        """Writes into the record that ``copy`` is the primary."""
        copies.write(self.record, {HOME: copy.at})

    def url(self, service: str, *order: Copy) -> SecretStr:
        hosts = ",".join(f"127.0.0.1:{copy.server.port}" for copy in order)
        return SecretStr(f"postgresql://{service}_app:test-password@{hosts}/{service}")

    def stop(self) -> None:
        for copy, process in self.processes.items():
            if process.poll() is None:
                self.kill(copy)


@contextmanager
def pair() -> Iterator[Pair]:
    """Both servers, streaming. Gone with their data at the end."""
    folder = Path(tempfile.mkdtemp(prefix="hemline-test-pair-"))
    folder.chmod(0o755)
    made = Pair(folder)
    try:
        made.home.server.initialise()
        made.start(made.home)
        made.until(made.home, Role.PRIMARY)
        made.start(made.sibling)
        made.until(made.sibling, Role.STANDBY)
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder)
