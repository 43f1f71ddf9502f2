"""PostgreSQL, seen through the eyes of one tenant at a time.

A service holds an engine for each home region of its jurisdiction, and for no other: a tenant whose
home is elsewhere has no engine that could reach their rows.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import psycopg
import structlog
from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor
from pydantic import SecretStr
from sqlalchemy import exc, func, literal, make_url, select
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from services.chassis.errors import Aborted, Unavailable
from services.chassis.tenancy import TenantId, current_caller

CONNECT_SECONDS = 3
POOL_WAIT_SECONDS = 5

log = structlog.get_logger()


class DatabaseUnavailable(Unavailable):
    reason = "DATABASE_UNAVAILABLE"


class RaceLost(Aborted):
    reason = "RACE_LOST"


class Database:
    """Closed by `close`. Safe to share between calls."""

    def __init__(self, urls: Mapping[str, SecretStr], *, pool_size: int = 5) -> None:
        self._engines = {region: _engine(url, pool_size) for region, url in urls.items()}
        # A span for each statement, without its parameters. All engines in one call: the library
        # ignores a second one. It knows SQLAlchemy up to 2.0 and would skip 2.1, which works.
        SQLAlchemyInstrumentor().instrument(
            engines=[engine.sync_engine for engine in self._engines.values()], skip_dep_check=True
        )
        self._sessions = {
            region: async_sessionmaker(engine, expire_on_commit=False)
            for region, engine in self._engines.items()
        }

    @property
    def home_regions(self) -> tuple[str, ...]:
        return tuple(self._engines)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Opens a transaction in which row-level security hides every tenant but the caller's.

        Commits on a clean exit and rolls back on an exception. READ COMMITTED.

        Raises:
            DatabaseUnavailable: the home region's database does not answer.
            RaceLost: a concurrent write came first.
        """
        caller = current_caller()
        async with self.transaction_of(caller.home_region, caller.tenant_id) as session:
            yield session

    @asynccontextmanager
    async def transaction_of(
        self, home_region: str, tenant_id: TenantId | None
    ) -> AsyncIterator[AsyncSession]:
        """The same for work that has no caller yet, such as signing in.

        Without a tenant, row-level security hides every tenant's rows.
        """
        if home_region not in self._sessions:
            raise DatabaseUnavailable(f"No database of {home_region} can be reached from here.")
        try:
            async with self._sessions[home_region].begin() as session:
                # SET LOCAL, spelled as a function because SET takes no parameters.
                setting = func.set_config("hemline.tenant_id", str(tenant_id or ""), literal(True))
                await session.execute(select(setting))
                yield session
        except exc.TimeoutError:
            raise DatabaseUnavailable("All connections are busy.") from None
        except exc.DBAPIError as error:
            raise _translated(error) from error

    async def close(self) -> None:
        for engine in self._engines.values():
            await engine.dispose()


def _engine(url: SecretStr, pool_size: int) -> AsyncEngine:
    return create_async_engine(
        make_url(url.get_secret_value()).set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_WAIT_SECONDS,
        pool_pre_ping=True,
        connect_args={"connect_timeout": CONNECT_SECONDS},
        hide_parameters=True,
    )


def _translated(error: exc.DBAPIError) -> Exception:
    """A race becomes ABORTED, a lost server UNAVAILABLE; anything else stays the bug that it is."""
    races = (
        psycopg.errors.DeadlockDetected,
        psycopg.errors.SerializationFailure,
        psycopg.errors.UniqueViolation,
    )
    if isinstance(error.orig, races):
        return RaceLost("A concurrent write came first. Read again and retry.")
    if isinstance(error.orig, psycopg.OperationalError):
        log.warning("database_unavailable", kind=type(error.orig).__name__)
        return DatabaseUnavailable("The region's database does not answer.")
    return error
