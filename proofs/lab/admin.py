"""What an Envoy counts, read from its admin interface."""

import asyncio
import contextlib

SECONDS = 2.0


async def get(address: str, path: str) -> str:
    """The answer, empty if there is none."""
    host, _, port = address.rpartition(":")
    with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
        async with asyncio.timeout(SECONDS):
            reader, writer = await asyncio.open_connection(host, int(port))
            try:
                writer.write(
                    f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode()
                )
                head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            finally:
                writer.close()
            if b"chunked" in head.lower():
                body = b"".join(_chunks(body))
            return body.decode()
    return ""


async def live(address: str) -> bool:
    return (await get(address, "/ready")).startswith("LIVE")


async def stats(address: str, pattern: str) -> dict[str, int]:
    """Counters and gauges whose names match the regular expression ``pattern``."""
    quoted = pattern.replace("|", "%7C").replace("\\", "%5C")
    text = await get(address, f"/stats?filter={quoted}")
    found = {}
    for line in text.splitlines():
        name, _, value = line.rpartition(": ")
        if value.isdecimal():
            found[name] = int(value)
    return found


async def total(address: str, pattern: str) -> int:
    """The sum of those counters."""
    return sum((await stats(address, pattern)).values())


def _chunks(body: bytes) -> list[bytes]:
    found = []
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            break
        found.append(rest[:length])
        body = rest[length + 2 :]
    return found
