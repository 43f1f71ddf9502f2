"""Signing keys in PostgreSQL: the region's own, outside of any tenant."""

from sqlalchemy import Select, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.keys import Jwk
from services.identity.keys import PublishedKey, StoredKey
from services.identity.tables import SigningKeyRow

KEY_LOCK = 4_804_111
"""Advisory lock of whoever makes the region's first key. Any number; used for nothing else here."""


class KeyStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def lock(self) -> None:
        """Waits until no other transaction holds this lock, then holds it until the end."""
        await self._session.execute(select(func.pg_advisory_xact_lock(KEY_LOCK)))

    async def newest(self, issuer: str) -> StoredKey | None:
        row = await self._session.scalar(_by_age(issuer).limit(1))
        return None if row is None else StoredKey(_published(row), row.sealed)

    async def published(self, issuer: str, limit: int) -> list[PublishedKey]:
        """Returns at most ``limit`` public keys, newest first."""
        rows = await self._session.scalars(_by_age(issuer).limit(limit))
        return [_published(row) for row in rows]

    async def insert(self, key: StoredKey) -> None:
        jwk = key.published.jwk
        await self._session.execute(
            insert(SigningKeyRow).values(
                kid=jwk.kid,
                issuer=jwk.issuer,
                x=jwk.x,
                y=jwk.y,
                sealed=key.sealed,
                create_time=key.published.create_time,
            )
        )


def _by_age(issuer: str) -> Select[SigningKeyRow]:
    return (
        select(SigningKeyRow)
        .where(SigningKeyRow.issuer == issuer)
        .order_by(SigningKeyRow.create_time.desc(), SigningKeyRow.kid)
    )


def _published(row: SigningKeyRow) -> PublishedKey:
    return PublishedKey(Jwk(row.kid, row.issuer, row.x, row.y), row.create_time)
