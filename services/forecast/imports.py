"""Importing sales: all lines or none, inside one transaction."""

import hashlib
from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

from services.chassis.errors import FieldViolation, InvalidArgument, RequestIdReused
from services.chassis.imports import MOST_VIOLATIONS, ImportRejected
from services.forecast.domain_sales import (
    MOST_LINES,
    Batch,
    Imported,
    SalesLine,
)
from services.forecast.store_sales import SalesStore


async def import_sales(
    request_id: UUID, batches: AsyncIterator[Batch], *, store: SalesStore, now: datetime
) -> Imported:
    """Adds the lines of ``batches`` that are not known yet.

    Lines are staged as they arrive, so that memory holds one message. After the first bad line the
    rest is only read, to say how many there are.

    Raises:
        ImportRejected: some lines break their rules or contradict a line imported before.
        RequestIdReused: the request_id belongs to an import of other lines.
        InvalidArgument: there are too many lines.
    """
    digest = hashlib.sha256()
    violations: list[FieldViolation] = []
    lines, rejected_lines = 0, 0
    await store.open()
    async for batch in batches:
        lines += len(batch.lines) + batch.rejected_lines
        if lines > MOST_LINES:
            raise InvalidArgument(FieldViolation("lines", f"at most {MOST_LINES} an import."))
        violations.extend(batch.violations[: MOST_VIOLATIONS - len(violations)])
        rejected_lines += batch.rejected_lines
        if not violations:
            digest.update(_canonical(batch.lines))
            await store.stage(batch.lines)
    if violations:
        raise ImportRejected(violations, rejected_lines=rejected_lines)
    return await _finish(request_id, digest.digest(), lines, store=store, now=now)


async def _finish(
    request_id: UUID, fingerprint: bytes, lines: int, *, store: SalesStore, now: datetime
) -> Imported:
    await store.lock()
    earlier = await store.find(request_id)
    if earlier is not None:
        earlier_fingerprint, answer = earlier
        if earlier_fingerprint != fingerprint:
            raise RequestIdReused(request_id)
        return answer
    await store.number_lines()
    contradictions, rejected_lines = await store.contradictions(MOST_VIOLATIONS)
    if contradictions:
        raise ImportRejected(contradictions, rejected_lines=rejected_lines)
    imported = Imported(lines, await store.merge())
    await store.record(request_id, fingerprint, imported, now)
    return imported


def _canonical(lines: tuple[SalesLine, ...]) -> bytes:
    """The lines as bytes that no other lines have, however they are cut into messages."""
    # No field holds a control character, so tabs and line ends separate them.
    return "".join(f"{chr(9).join(map(str, line))}\n" for line in lines).encode()
