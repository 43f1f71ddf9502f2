"""Shards of jobs as rows: what each has to read, who computes it, what it found.

Every statement runs in the caller's transaction, which row-level security limits to one tenant.
"""

import json
import zlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.forecast.domain.jobs import LEASE
from services.forecast.tables.jobs import JobInputRow, JobShardRow

FAST = 1  # zlib's level.


@dataclass(frozen=True, slots=True)
class ShardNames:
    """What the rows and the product codes of a shard stand for."""

    series: Sequence[Sequence[str]]  # Store, SKU, product of each row.
    products: Sequence[str]  # By code.
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By code, of static columns that go across shards, as `panels.read.Names` calls them."""

    def keys(self) -> dict[str, list[int]]:
        """Numbers that are the same in every shard, in place of the names of `groups`."""
        return {
            column: [zlib.crc32(f"{column}={name}".encode()) for name in names]
            for column, names in self.groups.items()
        }

    def to_bytes(self) -> bytes:
        said = [self.series, self.products, self.groups]
        return zlib.compress(json.dumps(said).encode(), FAST)

    @classmethod
    def from_bytes(cls, data: bytes) -> "ShardNames":
        return cls(*json.loads(zlib.decompress(data)))


@dataclass(frozen=True, slots=True)
class ShardKey:
    """A piece of a job that a process takes up as a whole."""

    job_id: UUID
    shard: int
    step: int  # The cutoff of a backtest, counted from 0.


@dataclass(frozen=True, slots=True)
class Taken:
    key: ShardKey
    attempts: int  # How often it was begun, this time included.


@dataclass(frozen=True, slots=True)
class Part:
    """Which shards a process takes: every ``count``-th, from ``index`` on. It may take any."""

    index: int = 0
    count: int = 1


class ShardStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, key: ShardKey, names: ShardNames, panel: bytes) -> None:
        """Adds a shard to be computed. The job must have a partition for what is read."""
        at = _values(key)
        packed = {"names": names.to_bytes(), "panel": panel}
        await self._session.execute(insert(JobInputRow).values(**at, **packed))
        await self._session.execute(insert(JobShardRow).values(**at))

    async def panel(self, key: ShardKey) -> bytes:
        query = select(JobInputRow.panel).where(_is(JobInputRow, key))
        return bytes((await self._session.execute(query)).scalar_one())

    async def names(self, key: ShardKey) -> ShardNames:
        query = select(JobInputRow.names).where(_is(JobInputRow, key))
        return ShardNames.from_bytes((await self._session.execute(query)).scalar_one())

    async def take(
        self, job_id: UUID, holder: UUID, now: datetime, part: Part = Part()
    ) -> Taken | None:
        """Makes ``holder`` compute the first shard of ``part`` that nobody does."""
        free = or_(JobShardRow.lease_expire_time.is_(None), JobShardRow.lease_expire_time <= now)
        mine = JobShardRow.shard % part.count == part.index
        first = (
            select(JobShardRow.shard, JobShardRow.step)
            .where(JobShardRow.job_id == job_id, ~JobShardRow.done, free, mine)
            .order_by(JobShardRow.shard, JobShardRow.step)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        found = (await self._session.execute(first)).one_or_none()
        if found is None:
            return None
        key = ShardKey(job_id, *found)
        lease = {"holder": holder, "lease_expire_time": now + LEASE}
        attempts = await self._session.scalar(
            update(JobShardRow)
            .where(_is(JobShardRow, key))
            .values(**lease, attempts=JobShardRow.attempts + 1)
            .returning(JobShardRow.attempts)
        )
        return Taken(key, attempts or 0)

    async def has_open(self, job_id: UUID, part: Part) -> bool:
        """Whether a shard of ``part`` is not done, whoever computes it."""
        mine = JobShardRow.shard % part.count == part.index
        query = select(JobShardRow.shard).where(
            JobShardRow.job_id == job_id, ~JobShardRow.done, mine
        )
        return await self._session.scalar(query.limit(1)) is not None

    async def renew(self, key: ShardKey, holder: UUID, now: datetime) -> bool:
        """False if the shard is somebody else's by now, or done, or its job has ended."""
        return await self._changed(key, holder, {"lease_expire_time": now + LEASE})

    async def give_back(self, key: ShardKey, holder: UUID) -> bool:
        return await self._changed(key, holder, {"holder": None, "lease_expire_time": None})

    async def finish(self, key: ShardKey, holder: UUID, figures: bytes, sums: bytes) -> bool:
        """False like `renew`."""
        over = {"done": True, "figures": figures, "sums": sums, "lease_expire_time": None}
        return await self._changed(key, holder, over)

    async def figures(self, job_id: UUID) -> AsyncIterator[tuple[ShardKey, bytes]]:
        """What all shards found, in their order, whatever order they ended in."""
        table = JobShardRow
        query = select(table.shard, table.step, table.figures).where(table.job_id == job_id)
        rows = await self._session.execute(query.order_by(table.shard, table.step))
        for shard, step, figures in rows:
            yield ShardKey(job_id, shard, step), figures or b""

    async def sums(self, key: ShardKey) -> bytes:
        """What the groups of a shard add up to: of one at a time, since they may be large."""
        query = select(JobShardRow.sums).where(_is(JobShardRow, key))
        return bytes((await self._session.execute(query)).scalar_one() or b"")

    async def _changed(self, key: ShardKey, holder: UUID, values: dict[str, object]) -> bool:
        held = and_(_is(JobShardRow, key), JobShardRow.holder == holder, ~JobShardRow.done)
        statement = update(JobShardRow).where(held).values(values)
        return await self._session.scalar(statement.returning(JobShardRow.shard)) is not None


def _values(key: ShardKey) -> dict[str, object]:
    return {"job_id": key.job_id, "shard": key.shard, "step": key.step}


def _is(table: type[JobInputRow | JobShardRow], key: ShardKey) -> ColumnElement[bool]:
    return and_(table.job_id == key.job_id, table.shard == key.shard, table.step == key.step)
