"""PostgreSQL, seen through the eyes of one tenant at a time.

A service holds engines for each home region of its jurisdiction, and for no other: a tenant whose
home is elsewhere has no engine that could reach their rows. Of a sibling's home there are two: one
reads, from the standby that stands beside the service, and one writes, wherever that home's primary
is now. So reads go on when a sibling has failed, and writes do from the moment of a promotion.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

import psycopg
import structlog
from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr
from sqlalchemy import URL, ColumnElement, exc, func, literal, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from services.chassis.connecting import (
    AT_HOME,
    OF_SIBLINGS,
    Connector,
    OnlyStandbys,
    ReadyConnection,
    answering_within,
)
from services.chassis.errors import Aborted, Unavailable
from services.chassis.pulse import Pulse
from services.chassis.tenancy import TenantId, current_caller, is_reading

POOL_WAIT_SECONDS = 5

log = structlog.get_logger()


class DatabaseUnavailable(Unavailable):
    reason = "DATABASE_UNAVAILABLE"


class HomeRegionReadOnly(DatabaseUnavailable):
    """Reads are answered; writes wait for the home region, or for an operator's promotion."""

    reason = "HOME_REGION_READ_ONLY"
    retry_seconds = 5.0

    def __init__(self, home_region: str) -> None:
        super().__init__(
            f"{home_region} takes no writes now. Reads are answered. Retry later; an operator can "
            f"make a sibling take the writes with `hemline promote {home_region}`.",
            home_region=home_region,
        )


class RaceLost(Aborted):
    reason = "RACE_LOST"


@dataclass(frozen=True, slots=True)
class _Route:
    """One way to the data of one home region."""

    home_region: str
    engine: AsyncEngine
    connector: Connector
    sibling: bool


class Database:
    """Closed by `close`. Safe to share between calls."""

    def __init__(
        self,
        urls: Mapping[str, SecretStr],
        replica_urls: Mapping[str, SecretStr] | None = None,
        *,
        pool_size: int = 5,
        traced: bool = True,
    ) -> None:
        """Connects to nothing yet.

        Args:
            urls: by home region. The hosts of one are all that may be its primary, likeliest first.
            replica_urls: by sibling's home region: where to read. The nearest host comes first.
            pool_size: connections for each URL.
            traced: whether statements leave spans. For one database of a process alone.
        """
        replicas = replica_urls or {}
        self._writing = {
            home: _route(home, url, pool_size, writable=True, sibling=home in replicas)
            for home, url in urls.items()
        }
        self._reading = {
            home: _route(home, url, pool_size, writable=False, sibling=True)
            for home, url in replicas.items()
        }
        if traced:
            # A span for each statement, without its parameters. All engines in one call: the
            # library ignores a second one. It knows SQLAlchemy up to 2.0 and would skip 2.1, which
            # works.
            SQLAlchemyInstrumentor().instrument(
                engines=[route.engine.sync_engine for route in self._routes()], skip_dep_check=True
            )

    @property
    def home_regions(self) -> tuple[str, ...]:
        return tuple(self._writing)

    def reads_elsewhere(self, home_region: str) -> bool:
        """Whether what is read of ``home_region`` here is a sibling's, from a standby."""
        return home_region in self._reading

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Opens a transaction in which row-level security hides every tenant but the caller's.

        Commits on a clean exit and rolls back on an exception. READ COMMITTED. Inside of
        `tenancy.reading`, as in every method without side effects, nothing can be written.

        Raises:
            DatabaseUnavailable: the home region's database does not answer.
            HomeRegionReadOnly: for a write, none of the home region's servers takes any.
            RaceLost: a concurrent write came first.
        """
        caller = current_caller()
        async with self.transaction_of(caller.home_region, caller.tenant_id) as session:
            yield session

    @asynccontextmanager
    async def transaction_of(
        self, home_region: str, tenant_id: TenantId | None, *, newest: bool = False
    ) -> AsyncIterator[AsyncSession]:
        """The same for work that has no caller yet, such as signing in.

        Without a tenant, row-level security hides every tenant's rows. The ``newest`` rows are the
        primary's: a standby may be far behind, and nothing in its answer says so.
        """
        route = self._reading.get(home_region) if is_reading() and not newest else None
        route = route or self._writing.get(home_region)
        if route is None:
            raise DatabaseUnavailable(f"No database of {home_region} can be reached from here.")
        try:
            async with await _begun(route, tenant_id) as session:
                yield session
                await session.commit()
        except exc.TimeoutError:
            raise DatabaseUnavailable("All connections are busy.") from None
        except exc.DBAPIError as error:
            raise _translated(error, route) from error

    def pulse(self, region: str) -> Pulse:
        """Tells whether the primary of ``region`` answers, over a connection of its own."""
        return Pulse(self._writing[region].connector)

    async def close(self) -> None:
        for route in self._routes():
            await route.engine.dispose()

    def _routes(self) -> tuple[_Route, ...]:
        return (*self._writing.values(), *self._reading.values())


def _route(
    home_region: str, url: SecretStr, pool_size: int, *, writable: bool, sibling: bool
) -> _Route:
    connector = Connector(url, OF_SIBLINGS if sibling else AT_HOME, writable=writable)
    engine = create_async_engine(
        # What spans say of the connection. The connector alone makes it.
        URL.create(
            "postgresql+psycopg",
            database=str(conninfo_to_dict(url.get_secret_value()).get("dbname") or ""),
        ),
        async_creator=connector.connect,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_WAIT_SECONDS,
        hide_parameters=True,
    )
    return _Route(home_region, engine, connector, sibling)


async def _begun(route: _Route, tenant_id: TenantId | None) -> AsyncSession:
    """Begins a transaction of ``tenant_id``. Raises DBAPIError."""
    try:
        return await _attempt(route, tenant_id)
    except exc.DBAPIError as error:
        if not error.connection_invalidated:
            raise
        # It had been idle, and its server is gone since or does not answer. Another one might.
        return await _attempt(route, tenant_id)


async def _attempt(route: _Route, tenant_id: TenantId | None) -> AsyncSession:
    session = AsyncSession(route.engine, expire_on_commit=False)
    try:
        connection = await (await session.connection()).get_raw_connection()
        server = cast("ReadyConnection", connection.driver_connection)
        with answering_within(route.connector.patience.ping_seconds, server):
            await session.execute(select(*_settings(tenant_id)))
    except BaseException:
        await session.close()
        raise
    return session


def _settings(tenant_id: TenantId | None) -> Sequence[ColumnElement[str]]:
    # SET LOCAL, spelled as a function because SET takes no parameters.
    settings = [func.set_config("hemline.tenant_id", str(tenant_id or ""), literal(True))]
    if is_reading():
        # A method that says it has no side effects has none, at home as on a standby.
        settings.append(func.set_config("transaction_read_only", "on", literal(True)))
    return settings


def _translated(error: exc.DBAPIError, route: _Route) -> Exception:
    """A race becomes ABORTED, a lost server UNAVAILABLE; anything else stays the bug that it is."""
    races = (
        psycopg.errors.DeadlockDetected,
        psycopg.errors.SerializationFailure,
        psycopg.errors.UniqueViolation,
    )
    cause = error.orig
    if isinstance(cause, races):
        return RaceLost("A concurrent write came first. Read again and retry.")
    writing = not is_reading()
    if writing and isinstance(cause, (psycopg.errors.ReadOnlySqlTransaction, OnlyStandbys)):
        log.warning("home_region_read_only", home_region=route.home_region)
        return HomeRegionReadOnly(route.home_region)
    if isinstance(cause, psycopg.OperationalError):
        kind = type(cause).__name__
        log.warning("database_unavailable", home_region=route.home_region, kind=kind)
        if writing and route.sibling:
            return HomeRegionReadOnly(route.home_region)
        return DatabaseUnavailable("The region's database does not answer.")
    return error
