"""Importing lines of any kind: all of them or none, inside one transaction."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

from services.chassis.errors import FieldViolation, InvalidArgument, RequestIdReused
from services.chassis.imports import MOST_VIOLATIONS, ImportRejected
from services.forecast.domain.imports import Batch, Imported

Line = TypeVar("Line", bound=tuple[Any, ...])
Line_contra = TypeVar("Line_contra", contravariant=True)


class LineStore(Protocol[Line_contra]):
    """Where the lines of one import go, step by step, in this order."""

    most_lines: int
    heading: bytes
    """What else tells this import from another of the same lines."""

    async def open(self) -> None: ...

    async def stage(self, lines: Sequence[Line_contra]) -> None:
        """Keeps ``lines`` aside, in order, until `merge`."""

    async def lock(self) -> None:
        """Waits for other imports of the tenant, and keeps them waiting until the end."""

    async def find(self, request_id: UUID) -> tuple[bytes, Imported] | None:
        """Returns the fingerprint and the answer of an import made before."""

    async def prepare(self) -> None:
        """Makes what was staged ready to be compared with what is known."""

    async def contradictions(self, most: int) -> tuple[list[FieldViolation], int]:
        """Returns the first lines that contradict others, and how many do."""

    async def merge(self) -> tuple[int, int]:
        """Stores what is not known yet. Returns how many lines were new, and how many changed."""

    async def record(
        self, request_id: UUID, fingerprint: bytes, imported: Imported, now: datetime
    ) -> None: ...


async def import_lines(
    request_id: UUID, batches: AsyncIterator[Batch[Line]], *, store: LineStore[Line], now: datetime
) -> Imported:
    """Adds the lines of ``batches`` that are not known yet.

    Lines are staged as they arrive, so that memory holds one message. After the first bad line the
    rest is only read, to say how many there are.

    Raises:
        ImportRejected: some lines break their rules or contradict others.
        RequestIdReused: the request_id belongs to another import.
        InvalidArgument: there are too many lines.
    """
    digest = hashlib.sha256(store.heading)
    violations: list[FieldViolation] = []
    lines, rejected_lines = 0, 0
    await store.open()
    async for batch in batches:
        lines += len(batch.lines) + batch.rejected_lines
        if lines > store.most_lines:
            raise InvalidArgument(FieldViolation("lines", f"at most {store.most_lines} an import."))
        violations.extend(batch.violations[: MOST_VIOLATIONS - len(violations)])
        rejected_lines += batch.rejected_lines
        if not violations:
            digest.update(_canonical(batch.lines))
            await store.stage(batch.lines)
    if violations:
        raise ImportRejected(violations, rejected_lines=rejected_lines)
    return await _finish(request_id, digest.digest(), lines, store=store, now=now)


async def _finish(
    request_id: UUID, fingerprint: bytes, lines: int, *, store: LineStore[Any], now: datetime
) -> Imported:
    await store.lock()
    earlier = await store.find(request_id)
    if earlier is not None:
        earlier_fingerprint, answer = earlier
        if earlier_fingerprint != fingerprint:
            raise RequestIdReused(request_id)
        return answer
    await store.prepare()
    contradictions, rejected_lines = await store.contradictions(MOST_VIOLATIONS)
    if contradictions:
        raise ImportRejected(contradictions, rejected_lines=rejected_lines)
    imported = Imported(lines, *await store.merge())
    await store.record(request_id, fingerprint, imported, now)
    return imported


def _canonical(lines: tuple[Line, ...]) -> bytes:
    """The lines as bytes that no other lines have, however they are cut into messages."""
    # No field holds a control character, so tabs and line ends separate them.
    return "".join(f"{chr(9).join(map(str, line))}\n" for line in lines).encode()
