"""Connections to whichever of a home's servers will do, each tried for a short time only.

A home region's data may be at several servers: its primary, and a standby at a sibling, which is
the primary after a promotion. libpq's own words for that are several hosts in one URL and
`target_session_attrs=read-write`; its connect timeout, though, knows nothing below two seconds.
"""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr

ReadyConnection = psycopg.AsyncConnection[Any]
"""Signed in at a server."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server is waited for."""

    connect_seconds: float  # For each host.
    ping_seconds: float  # For the first answer on a connection that was idle.
    refusal_seconds: float  # How long a failure is repeated without asking again.


AT_HOME = Patience(connect_seconds=3.0, ping_seconds=5.0, refusal_seconds=0.0)
OF_SIBLINGS = Patience(connect_seconds=0.9, ping_seconds=0.5, refusal_seconds=1.0)
"""A sibling is asked when its region has failed: a frozen server must not hold up the answer. Its
last failure is repeated for a second, so that calls do not queue up behind each other's waiting."""


class OnlyStandbys(psycopg.OperationalError):
    """Servers were found, but none that may be written to."""


@dataclass(slots=True)
class Connector:
    """Makes connections to the first of a URL's hosts that will do."""

    url: SecretStr
    patience: Patience
    writable: bool  # Whether a standby will not do.
    _refused: tuple[float, psycopg.OperationalError] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        several = len(_hosts(self.url)) > 1
        # A server that is alone is the primary, whatever it says: errors of writes tell otherwise.
        self.writable = self.writable and several

    async def connect(self) -> ReadyConnection:
        """Raises psycopg.OperationalError: no host will do, or none did a moment ago."""
        if self._refused is not None and time.monotonic() < self._refused[0]:
            again = self._refused[1]
            raise type(again)(*again.args)
        try:
            made = await self._first()
        except psycopg.OperationalError as error:
            self._refused = (time.monotonic() + self.patience.refusal_seconds, error)
            raise
        self._refused = None
        return made

    async def _first(self) -> ReadyConnection:
        standbys, last = False, psycopg.OperationalError("no host")
        for host in _hosts(self.url):
            try:
                made = await self._attempt(host)
            except TimeoutError:
                last = psycopg.errors.ConnectionTimeout("no answer in time")
                continue
            except psycopg.OperationalError as error:
                last = error
                continue
            if not (self.writable and made.info.parameter_status("in_hot_standby") == "on"):
                return made
            standbys = True
            await made.close()
        if standbys:
            raise OnlyStandbys("only standbys answer")
        raise last

    async def _attempt(self, host: dict[str, Any]) -> ReadyConnection:
        async with asyncio.timeout(self.patience.connect_seconds):
            return await psycopg.AsyncConnection.connect(**host)


@contextlib.contextmanager
def answering_within(seconds: float, connection: ReadyConnection) -> Iterator[None]:
    """Cuts ``connection`` if what is done inside takes longer, so that it fails and does not hang.

    Cancelling would not do: the driver then asks the server to cancel, and waits for that.
    """
    cutting = asyncio.get_running_loop().call_later(seconds, _cut, connection)
    try:
        yield
    finally:
        cutting.cancel()


def _cut(connection: ReadyConnection) -> None:
    with (
        contextlib.suppress(OSError, psycopg.Error),
        # A second handle on the driver's socket, which stays the driver's to close.
        socket.socket(fileno=os.dup(connection.fileno())) as same,
    ):
        same.shutdown(socket.SHUT_RDWR)


def _hosts(url: SecretStr) -> list[dict[str, Any]]:
    """The connection parameters of each host of ``url``. One port may stand for all."""
    found = dict(conninfo_to_dict(url.get_secret_value()))
    # Asked for here, so that a failure can tell a standby from a server that is gone.
    found.pop("target_session_attrs", None)
    hosts = str(found.pop("host", "")).split(",")
    ports = str(found.pop("port", "") or "5432").split(",")
    if len(ports) == 1:
        ports *= len(hosts)
    return [{**found, "host": host, "port": port} for host, port in zip(hosts, ports, strict=True)]
