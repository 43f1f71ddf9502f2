"""CPU time and memory of trees of processes."""

import threading
import time
from dataclasses import dataclass, field
from typing import Self

import psutil

LOOK_SECONDS = 0.1


@dataclass
class Meter:
    """Watches this process with its children, and a PostgreSQL server, while it is entered.

    CPU is that of processes seen alive, as of the last look, or of all that ended, as the kernel
    told their parent; memory the largest sum of what each has for itself (unique set size).
    """

    postgres_port: int
    cpu_s: float = 0.0
    postgres_cpu_s: float = 0.0
    peak_mb: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._server = _server(self.postgres_port)
        self._own_before, self._server_before = _own_cpu(), _tree_cpu(self._server)
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._watcher.join()
        self.cpu_s = _own_cpu() - self._own_before
        self.postgres_cpu_s = _tree_cpu(self._server) - self._server_before

    def _watch(self) -> None:
        me = psutil.Process()
        while not self._stop.wait(LOOK_SECONDS):
            used = 0
            for process in (me, *me.children(recursive=True)):
                if "postgres" not in _name(process) and "redis" not in _name(process):
                    used += _unique(process)
            self.peak_mb = max(self.peak_mb, used / 2**20)


def _own_cpu() -> float:
    """Seconds of this process and of its children that have ended: the workers."""
    times = psutil.Process().cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def _server(port: int) -> psutil.Process:
    for process in psutil.Process().children(recursive=True):
        if "postgres" in _name(process) and str(port) in process.cmdline():
            return process
    raise RuntimeError("The PostgreSQL server is not among the children of this process.")


def _tree_cpu(process: psutil.Process) -> float:
    """Seconds of a server, of its processes, and of those of them that have ended."""
    total = 0.0
    for each in (process, *process.children(recursive=True)):
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def _unique(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().uss)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0


def _name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return ""


def seconds(started: float) -> float:
    return round(time.perf_counter() - started, 1)
