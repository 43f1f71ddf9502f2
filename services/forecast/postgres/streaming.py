"""Rows of a query as they arrive, with PostgreSQL's arrays as numpy's.

A series is one row that holds its periods and units as arrays: far fewer rows to handle than one
for each period, and no number becomes a Python object on the way.
"""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import numpy as np
from psycopg import sql
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format
from sqlalchemy.ext.asyncio import AsyncSession

from services.forecast.postgres.copying import server_cursor_of

CHUNK_ROWS = 200
# Of an array in binary: three words, then two for each dimension; each element has its length.
EMPTY_BYTES = 12
HEADER_BYTES = 20


class _Array(Loader):
    format = Format.BINARY
    kind: str

    def load(self, data: Buffer) -> np.ndarray:
        element = np.dtype([("length", ">i4"), ("value", self.kind)])
        if len(data) == EMPTY_BYTES:
            return np.empty(0, element["value"].newbyteorder("="))
        values = np.frombuffer(data, element, offset=HEADER_BYTES)["value"]
        return values.astype(values.dtype.newbyteorder("="))


class _Integers(_Array):
    kind = ">i4"


class _Floats(_Array):
    kind = ">f8"


async def stream(session: AsyncSession, query: sql.Composed) -> AsyncIterator[tuple[Any, ...]]:
    """Yields the rows of ``query``, in the session's transaction; only some of them are in memory.

    Other statements may run in between. Arrays must have one dimension and no nulls, and be of
    `integer` or `double precision`.
    """
    async with server_cursor_of(session, f"stream_{uuid4().hex}") as cursor:
        types = cursor.adapters.types
        cursor.adapters.register_loader(types["int4"].array_oid, _Integers)
        cursor.adapters.register_loader(types["float8"].array_oid, _Floats)
        cursor.itersize = CHUNK_ROWS
        await cursor.execute(query, binary=True)
        async for row in cursor:
            yield row
