"""The relay between regions, with real sockets on loopback."""

import asyncio
import contextlib
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.local import routes
from deploy.local.relay import Listener, Relay
from deploy.local.relay_link import HANDSHAKE_DELAYS, LINGER_NOT, QUEUE_BYTES
from deploy.local.routes import Mode, Route, RoutesError
from tests.support.servers import free_port

MOMENT_SECONDS = 0.05
PATIENCE_SECONDS = 10.0

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Server:
    """Something that listens in the other region; tests speak for it."""

    def __init__(self) -> None:
        self.callers: asyncio.Queue[Streams] = asyncio.Queue()
        self.port = 0

    async def caller(self) -> Streams:
        return await asyncio.wait_for(self.callers.get(), PATIENCE_SECONDS)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    found = Server()
    opened: list[asyncio.StreamWriter] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened.append(writer)
        await found.callers.put((reader, writer))

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as listening:
        found.port = listening.sockets[0].getsockname()[1]
        yield found
        for writer in opened:
            writer.transport.abort()
        await asyncio.sleep(0)


@pytest.fixture
def route(server: Server) -> Route:
    addresses = f"127.0.0.1:{free_port()}", f"127.0.0.1:{server.port}"
    return Route(*addresses, "eu-central-1", "us-east-1")


@pytest.fixture
async def listener(route: Route) -> AsyncIterator[Listener]:
    found = Listener(route)
    await found.apply(route)
    yield found
    await found.close()


async def call(route: Route) -> Streams:
    return await asyncio.open_connection(*routes.split(route.listen))


async def read(reader: asyncio.StreamReader, count: int) -> bytes:
    return await asyncio.wait_for(reader.readexactly(count), PATIENCE_SECONDS)


async def says_nothing(reader: asyncio.StreamReader) -> bool:
    try:
        await asyncio.wait_for(reader.read(1), MOMENT_SECONDS)
    except TimeoutError:
        return True
    return False


def leave(*streams: Streams) -> None:
    for _, writer in streams:
        writer.transport.abort()


@pytest.mark.usefixtures("listener")
async def test_bytes_go_both_ways_and_each_direction_ends_on_its_own(
    server: Server, route: Route
) -> None:
    reader, writer = await call(route)
    writer.write(b"question")
    writer.write_eof()
    there = await server.caller()
    assert await asyncio.wait_for(there[0].read(), PATIENCE_SECONDS) == b"question"
    there[1].write(b"answer")
    there[1].close()
    assert await asyncio.wait_for(reader.read(), PATIENCE_SECONDS) == b"answer"
    writer.close()


async def test_a_first_answer_takes_two_round_trips_as_tcp_does(
    server: Server, route: Route, listener: Listener
) -> None:
    await listener.apply(replace(route, delay_ms=20))
    began = time.monotonic()
    here = await call(route)
    here[1].write(b"q")
    there = await server.caller()
    assert await read(there[0], 1) == b"q"
    there[1].write(b"a")
    assert await read(here[0], 1) == b"a"
    assert time.monotonic() - began >= (HANDSHAKE_DELAYS + 1) * 0.02
    leave(here)


async def test_delay_does_not_limit_what_is_under_way(
    server: Server, route: Route, listener: Listener
) -> None:
    here = await call(route)
    there = await server.caller()
    await listener.apply(replace(route, delay_ms=400))
    arriving = asyncio.create_task(read(there[0], QUEUE_BYTES))
    for _ in range(QUEUE_BYTES // 65536):
        here[1].write(bytes(65536))
        await here[1].drain()
    # All of it is on its way, and none of it has arrived.
    assert there[0]._buffer == b""  # type: ignore[attr-defined]
    assert len(await arriving) == QUEUE_BYTES
    leave(here)


@pytest.mark.usefixtures("listener")
async def test_a_slow_receiver_stops_its_sender(server: Server, route: Route) -> None:
    here = await call(route)
    there = await server.caller()
    there[1].transport.pause_reading()  # type: ignore[attr-defined]
    sent_bytes, stopped = 0, False
    while not stopped and sent_bytes < 20 * QUEUE_BYTES:
        here[1].write(bytes(65536))
        sent_bytes += 65536
        try:
            await asyncio.wait_for(here[1].drain(), 0.5)
        except TimeoutError:
            stopped = True
    assert stopped
    # What the kernel's own buffers hold comes on top of the queue.
    assert sent_bytes < 10 * QUEUE_BYTES
    there[1].transport.resume_reading()  # type: ignore[attr-defined]
    assert await read(there[0], sent_bytes)
    leave(here)


async def test_a_cut_says_nothing_and_healing_lets_all_of_it_go_on(
    server: Server, route: Route, listener: Listener
) -> None:
    before = await call(route)
    there = await server.caller()
    await listener.apply(replace(route, mode=Mode.CUT))
    before[1].write(b"late")
    there[1].write(b"too")
    during = await call(route)
    during[1].write(b"new")
    assert await says_nothing(there[0])
    assert await says_nothing(before[0])
    assert await says_nothing(during[0])
    assert server.callers.empty()
    await listener.apply(route)
    assert await read(there[0], 4) == b"late"
    assert await read(before[0], 3) == b"too"
    assert await read((await server.caller())[0], 3) == b"new"
    leave(before, during)


async def test_an_end_is_not_heard_of_through_a_cut(
    server: Server, route: Route, listener: Listener
) -> None:
    here = await call(route)
    there = await server.caller()
    await listener.apply(replace(route, mode=Mode.CUT))
    here[1].close()
    assert await says_nothing(there[0])
    await listener.apply(route)
    assert await asyncio.wait_for(there[0].read(), PATIENCE_SECONDS) == b""


async def test_whoever_gives_up_on_a_cut_leaves_nothing_behind(
    server: Server, route: Route, listener: Listener
) -> None:
    await listener.apply(replace(route, mode=Mode.CUT))
    for _ in range(5):
        _, writer = await call(route)
        writer.write(b"hello?")
        await asyncio.sleep(0.01)
        writer.close()
    await until(lambda: not listener._links)
    await listener.apply(route)
    assert server.callers.empty()


@pytest.mark.usefixtures("listener")
async def test_a_reset_is_passed_on(server: Server, route: Route) -> None:
    here = await call(route)
    there = await server.caller()
    sock = here[1].get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
    here[1].transport.abort()
    with pytest.raises(ConnectionResetError):
        await read(there[0], 1)


async def test_nobody_behind_the_route_is_a_reset(route: Route) -> None:
    gone = replace(route, listen=f"127.0.0.1:{free_port()}", to=f"127.0.0.1:{free_port()}")
    relay = Relay()
    await relay.apply([gone])
    reader, writer = await call(gone)
    with contextlib.suppress(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), PATIENCE_SECONDS) == b""
    writer.close()
    await relay.close()


async def test_the_process_follows_its_file_and_passes_over_a_broken_one(
    server: Server, route: Route, tmp_path: Path
) -> None:
    file = tmp_path / "routes.json"
    routes.write(file, [route])
    command = [sys.executable, "-m", "deploy.local.relay", str(file)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    await holds(file)
    here = await call(route)
    there = await server.caller()
    file.write_text('{"routes": [')
    await asyncio.sleep(3 * MOMENT_SECONDS)
    assert not routes.applied(file)
    here[1].write(b"x")
    assert await read(there[0], 1) == b"x"
    routes.write(file, [replace(route, mode=Mode.CUT)])
    await holds(file)
    here[1].write(b"y")
    assert await says_nothing(there[0])
    routes.write(file, [])
    await holds(file)
    with pytest.raises(ConnectionRefusedError):
        await call(route)
    process.terminate()
    said, _ = await process.communicate()
    assert process.returncode == 0
    assert said.decode().count("kept as they were") == 1
    leave(here)


async def test_one_address_that_is_taken_stops_no_other_and_is_tried_again(
    server: Server, route: Route, tmp_path: Path
) -> None:
    file = tmp_path / "routes.json"
    relay = Relay()
    taken = socket.create_server(("127.0.0.1", 0))
    late = replace(route, listen=f"127.0.0.1:{taken.getsockname()[1]}")
    routes.write(file, [late, route])
    following = asyncio.create_task(relay.follow(file))
    await until(lambda: route.listen in relay._listeners)
    here = await call(route)
    assert await server.caller()
    assert not routes.applied(file)
    taken.close()
    await holds(file)
    leave(here, await call(late))
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await relay.close()


async def test_a_relay_that_cannot_follow_its_file_ends_with_an_error(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "deploy.local.relay", str(tmp_path)]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    _, said = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    assert process.returncode == 1
    assert "IsADirectoryError" in said.decode()


async def holds(file: Path) -> None:
    await until(lambda: routes.applied(file))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - of a file, which has no event.
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"listen": "nowhere"}, "want host:port"),
        ({"mode": "slow"}, "slow"),
        ({"delay_ms": -1}, "delay_ms"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_route_that_breaks_a_rule_is_named(changes: dict[str, object], said: str) -> None:
    fields = {
        "listen": "127.0.0.1:1", "to": "127.0.0.1:2", "from_region": "a", "to_region": "b",
    }  # fmt: skip
    with pytest.raises(RoutesError, match=said):
        routes.parse(routes.json.dumps({"routes": [fields | changes]}).encode())


def test_two_routes_cannot_share_an_address() -> None:
    route = Route("127.0.0.1:1", "127.0.0.1:2", "a", "b")
    document = {"routes": [routes.asdict(route)] * 2}
    with pytest.raises(RoutesError, match="twice"):
        routes.parse(routes.json.dumps(document).encode())
