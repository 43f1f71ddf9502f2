"""The network between regions, imitated: `python -m deploy.local.relay ROUTES.json`.

One process listens for all routes of the file (`routes.py`), passes their bytes on after the
route's delay, and follows the file as it changes. A route that is cut behaves as a partition does:
open connections stay open and move nothing, new ones are let in and hear nothing, and once it is
healed all of it goes on. Handshakes take their round trip as well.

What it cannot imitate: lost packets, and a kernel that gives up on a connection for want of ACKs.

Measured on a busy 2-core machine: 0.5 ms of CPU for each MB (0.8 ms with delay), 30 us for a small
question and its answer, 18 MB of memory. A round trip without delay takes 0.04 ms at the median.
"""

import asyncio
import resource
import signal
import sys
from collections.abc import Iterable
from pathlib import Path

import uvloop

from deploy.local import routes
from deploy.local.relay_link import Link
from deploy.local.routes import Route, RoutesError

POLL_SECONDS = 0.05
BACKLOG = 1024


class Listener:
    """One route: its listening socket and the connections through it."""

    def __init__(self, route: Route) -> None:
        self.route = route
        self._links: set[Link] = set()
        self._server: asyncio.Server | None = None

    async def apply(self, route: Route) -> None:
        """Makes ``route``, with the same address to listen at, hold for all connections.

        Raises:
            OSError: the address is taken.
        """
        self.route = route
        if self._server is None:
            host, port = routes.split(route.listen)
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(self._accept, host, port, backlog=BACKLOG)
        for link in tuple(self._links):
            link.changed()

    async def close(self) -> None:
        """Stops listening and resets all connections."""
        if self._server:
            self._server.close()
            self._server = None
        for link in tuple(self._links):
            link.abort()
        await asyncio.sleep(0)  # Sockets are closed in the loop's next round.

    def _accept(self) -> asyncio.Protocol:
        link = Link(lambda: self.route, self._links.discard)
        self._links.add(link)
        return link.near


class Relay:
    """All routes."""

    def __init__(self) -> None:
        self._listeners: dict[str, Listener] = {}

    async def apply(self, wanted: Iterable[Route]) -> None:
        """Makes ``wanted`` the routes there are; connections of those that stay are kept.

        Raises:
            OSError: addresses are taken. All other routes hold; called again, it tries again.
        """
        by_address = {route.listen: route for route in wanted}
        for address in self._listeners.keys() - by_address.keys():
            await self._listeners.pop(address).close()
        problems = []
        for address, route in by_address.items():
            listener = self._listeners.setdefault(address, Listener(route))
            try:
                await listener.apply(route)
            except OSError as error:
                problems.append(f"{address}: {error}")
        if problems:
            raise OSError("; ".join(problems))

    async def follow(self, path: Path) -> None:
        """Applies the file whenever it has changed, until cancelled. A broken one is passed over.

        What has been applied stands in the file that `routes.applied` compares. Routes whose
        address is taken are tried again until they hold.
        """
        done, said = b"", ""
        while True:
            found = routes.content(path)
            if found != done:
                done, problem = await self._try(path, found)
                if problem and problem != said:
                    _say(f"{path}: {problem}")
                said = problem
            await asyncio.sleep(POLL_SECONDS)

    async def _try(self, path: Path, found: bytes) -> tuple[bytes, str]:
        """Returns what need not be looked at again, and what is the matter."""
        try:
            await self.apply(routes.parse(found))
        except RoutesError as error:
            return found, f"routes are kept as they were: {error}"
        except OSError as error:
            return b"", f"trying again, all other routes hold: {error}"
        routes.note_applied(path, found)
        _say(f"{len(self._listeners)} routes hold")
        return found, ""

    async def close(self) -> None:
        await self.apply(())


async def serve(path: Path) -> None:
    """Runs until SIGTERM or SIGINT.

    Raises:
        OSError: the file of routes cannot be read, or nothing written beside it.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    relay = Relay()
    following = asyncio.create_task(relay.follow(path))
    stopping = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait({following, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for task in (following, stopping):
        task.cancel()
    await relay.close()
    if following in done:
        following.result()


def main(arguments: list[str]) -> None:
    if len(arguments) != 1:
        sys.exit("relay: want the file of routes")
    # Whoever calls into a cut route holds a connection until it is healed.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    uvloop.run(serve(Path(arguments[0])))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
