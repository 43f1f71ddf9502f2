"""How far each standby is behind its primary, as the servers themselves say."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import psycopg

from deploy.local.copies import Copy
from deploy.local.postgres import SUPERUSER

CONNECT_SECONDS = 2
STATEMENT_LIMIT_MS = 2000


class Role(StrEnum):
    PRIMARY = "primary"
    STANDBY = "standby"
    SILENT = "silent"  # Does not answer, whatever it is.


@dataclass(frozen=True, slots=True)
class Standing:
    """What one copy says of itself."""

    role: Role
    streaming: bool = False  # Whether it is connected to its primary.
    written: int = 0  # LSN: of a primary, the end of its log; of a standby, what it has received.
    replayed: int = 0  # LSN: what a reader sees.
    last_commit: datetime | None = None  # Of the last transaction replayed.


@dataclass(frozen=True, slots=True)
class Lag:
    """A standby against its primary."""

    home: str
    at: str
    part: str
    role: Role
    primary_at: str
    streaming: bool
    lag_bytes: int | None  # What the primary has written and readers here do not see yet.
    lag_seconds: float | None  # Age of the last transaction seen; 0 with nothing to wait for.
    unreplayed_bytes: int  # Received, but not yet seen by readers. Not lost by a promotion.
    last_commit: str | None  # RFC 3339.


def standing(copy: Copy) -> Standing:
    """Asks ``copy``. Takes four seconds at most."""
    try:
        with psycopg.connect(
            copy.server.url(SUPERUSER, "postgres"),
            connect_timeout=CONNECT_SECONDS,
            options=f"-c statement_timeout={STATEMENT_LIMIT_MS}",
        ) as connection:
            row: Any = connection.execute(QUESTION).fetchone()
    except psycopg.Error:
        return Standing(Role.SILENT)
    in_recovery, streaming, written, replayed, last_commit = row
    role = Role.STANDBY if in_recovery else Role.PRIMARY
    return Standing(role, streaming, int(written), int(replayed), last_commit)


QUESTION = """
SELECT r.recovering,
       EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming'),
       CASE WHEN r.recovering
            THEN coalesce(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn(), '0/0')
            ELSE pg_current_wal_lsn() END - '0/0',
       CASE WHEN r.recovering
            THEN coalesce(pg_last_wal_replay_lsn(), '0/0')
            ELSE pg_current_wal_lsn() END - '0/0',
       pg_last_xact_replay_timestamp()
FROM (SELECT pg_is_in_recovery() AS recovering) AS r
"""


def between(copy: Copy, own: Standing, primary: Copy, its: Standing) -> Lag:
    """How far ``copy`` is behind ``primary``."""
    known = its.role is Role.PRIMARY and own.role is Role.STANDBY
    behind = max(0, its.written - own.replayed) if known else None
    age = (datetime.now(UTC) - own.last_commit).total_seconds() if own.last_commit else None
    return Lag(
        home=copy.home,
        at=copy.at,
        part=copy.part,
        role=own.role,
        primary_at=primary.at,
        streaming=own.streaming,
        lag_bytes=behind,
        lag_seconds=0.0 if behind == 0 else age and round(age, 3),
        unreplayed_bytes=max(0, own.written - own.replayed),
        last_commit=own.last_commit.isoformat() if own.last_commit else None,
    )


def of(groups: Iterable[tuple[Copy, tuple[Copy, ...]]]) -> list[Lag]:
    """The lag of every copy that should be a standby. Each group: a primary, and all copies."""
    found = list(groups)
    everybody = [copy for _, copies in found for copy in copies]
    with ThreadPoolExecutor(max_workers=max(1, len(everybody))) as threads:
        standings = dict(zip(everybody, threads.map(standing, everybody), strict=True))
    return [
        between(copy, standings[copy], primary, standings[primary])
        for primary, copies in found
        for copy in copies
        if copy != primary
    ]
