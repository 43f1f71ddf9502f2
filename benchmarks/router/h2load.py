"""Runs nghttp2's h2load and reads what it has seen."""

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PATH = "/hemline.inventory.v1.InventoryService/GetStockLevel"
MESSAGE = b"\0\0\0\0\0"
MISSING = "h2load is not installed: it is in the package nghttp2-client (apt) or nghttp2 (brew)"


class H2loadError(Exception):
    """It is not there, or calls have failed. The message says which."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run has seen."""

    seconds: Sequence[float]  # What each call took, in order of size.
    lasted_seconds: float

    @property
    def calls(self) -> int:
        return len(self.seconds)

    def percentile(self, share: float) -> float:
        return self.seconds[min(self.calls - 1, int(share * self.calls))]


@dataclass(frozen=True, slots=True)
class Shape:
    calls: int
    clients: int = 1
    streams: int = 1  # For each client.


def check() -> None:
    """Raises H2loadError if there is no h2load."""
    if shutil.which("h2load") is None:
        raise H2loadError(MISSING)


async def run(address: str, token: str, shape: Shape, folder: Path) -> Run:
    """Calls `PATH` at ``address`` over HTTP/2 without TLS. Raises H2loadError if a call fails."""
    log, body = folder / "h2load.tsv", folder / "h2load.body"
    log.unlink(missing_ok=True)
    body.write_bytes(MESSAGE)
    process = await asyncio.create_subprocess_exec(
        *("h2load", "-t", "1", "-n", str(shape.calls)),
        *("-c", str(shape.clients), "-m", str(shape.streams)),
        *("-H", "content-type: application/grpc", "-H", "te: trailers"),
        *("-H", f"authorization: Bearer {token}"),
        *("-d", str(body), "--log-file", str(log), f"http://{address}{PATH}"),
        stdout=asyncio.subprocess.DEVNULL,
    )
    if await process.wait():
        raise H2loadError(f"h2load has ended with code {process.returncode}")
    return _read(log, shape.calls)


def _read(log: Path, calls: int) -> Run:
    """Each line holds when a call began (µs since 1970), its HTTP status, and what it took (µs)."""
    lines = [line.split("\t") for line in log.read_text().splitlines()]
    good = [(int(begun), int(took)) for begun, status, took in lines if status == "200"]
    if len(good) != calls:
        raise H2loadError(f"{calls - len(good)} of {calls} calls have failed")
    lasted = max(begun + took for begun, took in good) - min(begun for begun, _ in good)
    return Run(sorted(took / 1e6 for _, took in good), lasted / 1e6)
