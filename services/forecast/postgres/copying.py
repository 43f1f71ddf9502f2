"""COPY, PostgreSQL's fastest way in, inside the session's own transaction.

SQLAlchemy has no word for COPY, so this speaks to its psycopg connection. COPY FROM refuses tables
under row-level security: rows go to a temporary table first, and from there by INSERT.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

CHUNK_ROWS = 1_000


async def copy_in(
    session: AsyncSession, table: str, columns: tuple[str, ...], rows: Iterable[str]
) -> None:
    """Appends ``rows`` to ``table``: lines of COPY's text format, without their ends."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    async with _copying(session, statement) as copy:
        chunk: list[str] = []
        for row in rows:
            chunk.append(row)
            if len(chunk) == CHUNK_ROWS:
                await copy.write("\n".join(chunk) + "\n")
                chunk.clear()
        if chunk:
            await copy.write("\n".join(chunk) + "\n")


@asynccontextmanager
async def _copying(
    session: AsyncSession, statement: sql.Composed
) -> AsyncIterator[psycopg.AsyncCopy]:
    try:
        async with cursor_of(session) as cursor, cursor.copy(statement) as copy:
            yield copy
    except asyncio.CancelledError:
        connection = await _connection_of(session)
        # Called off just as it begins, a COPY goes on: psycopg has not handed it out, so nobody
        # ends it. Such a connection cannot even roll back. Its place in the pool is freed here.
        if connection.info.transaction_status is TransactionStatus.ACTIVE:
            await session.invalidate()
        raise


def escaped(text: str) -> str:
    """``text`` as COPY's text format wants it. It must hold no control characters."""
    return text.replace("\\", "\\\\")


@asynccontextmanager
async def cursor_of(session: AsyncSession) -> AsyncIterator[psycopg.AsyncCursor]:
    """Opens a cursor of psycopg's own on the connection and in the transaction of ``session``."""
    connection = await _connection_of(session)
    try:
        async with connection.cursor() as cursor:
            yield cursor
    except psycopg.Error as error:
        raise _as_sqlalchemy(error) from error


@asynccontextmanager
async def server_cursor_of(
    session: AsyncSession, name: str
) -> AsyncIterator[psycopg.AsyncServerCursor]:
    """The same, of a cursor that the server keeps: what it is asked for is fetched in parts."""
    connection = await _connection_of(session)
    try:
        async with connection.cursor(name) as cursor:
            yield cursor
    except psycopg.Error as error:
        raise _as_sqlalchemy(error) from error


async def _connection_of(session: AsyncSession) -> psycopg.AsyncConnection:
    pooled = await (await session.connection()).get_raw_connection()
    connection = pooled.driver_connection
    if not isinstance(connection, psycopg.AsyncConnection):
        raise TypeError("This needs psycopg's asynchronous connection.")
    return connection


def _as_sqlalchemy(error: psycopg.Error) -> DBAPIError:
    """As SQLAlchemy would have raised it, so that it is translated in the same place."""
    return DBAPIError("COPY", None, error)
