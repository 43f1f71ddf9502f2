"""Tenants, users and logins in PostgreSQL.

Every statement runs in the caller's transaction, which row-level security limits to one tenant.
Outside of that lie only logins, which are read before the tenant is known, and what operators read.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, insert, literal, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.paging import Page
from services.chassis.tenancy import TenantId, UserId
from services.identity.domain import LoginHash, Role, Tenant, TenantDraft, UserDraft
from services.identity.tables import (
    LoginRow,
    MembershipRow,
    RolePermissionRow,
    TenantRow,
    UserRow,
)


class TenantStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def as_operator(self) -> None:
        """Lets the rest of the transaction read every tenant's own row, and nothing else of theirs.

        For methods that the contract keeps to operators, and for bootstrap.
        """
        setting = func.set_config("hemline.operator", "on", literal(True))
        await self._session.execute(select(setting))

    async def insert(self, draft: TenantDraft, tenant: Tenant) -> bool:
        """Writes ``tenant``, the transaction's own. False if its name or request id is taken."""
        written = await self._session.scalar(
            postgresql.insert(TenantRow)
            .values(
                name=tenant.name,
                display_name=tenant.display_name,
                home_epoch=tenant.home_epoch,
                create_time=tenant.create_time,
                request_id=draft.request_id,
                fingerprint=draft.fingerprint,
            )
            .on_conflict_do_nothing()
            .returning(TenantRow.tenant_id)
        )
        return written is not None

    async def find_request(self, request_id: UUID) -> tuple[Tenant, bytes] | None:
        """Returns the tenant that a request made, with the request's fingerprint."""
        row = await self._session.scalar(
            select(TenantRow).where(TenantRow.request_id == request_id)
        )
        return None if row is None else (_tenant_from(row), row.fingerprint)

    async def find_named(self, name: str) -> Tenant | None:
        row = await self._session.scalar(select(TenantRow).where(TenantRow.name == name))
        return None if row is None else _tenant_from(row)

    async def page(self, page: Page) -> list[Tenant]:
        """Returns one more than the page holds if there are more, by name."""
        query = select(TenantRow).order_by(TenantRow.name).limit(page.size + 1)
        if page.after is not None:
            query = query.where(TenantRow.name > page.after[0])
        return [_tenant_from(row) for row in await self._session.scalars(query)]

    async def home_epoch(self) -> int | None:
        """Returns the home epoch of the transaction's own tenant."""
        return await self._session.scalar(select(TenantRow.home_epoch))


class UserStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def insert(self, draft: UserDraft, user_id: UserId, now: datetime) -> bool:
        """Writes a user of the transaction's tenant. False if the request id is taken."""
        written = await self._session.scalar(
            postgresql.insert(UserRow)
            .values(
                user_id=user_id,
                create_time=now,
                request_id=draft.request_id,
                fingerprint=draft.fingerprint,
            )
            .on_conflict_do_nothing(constraint="user_account_request")
            .returning(UserRow.user_id)
        )
        return written is not None

    async def give_login(self, login: LoginHash, tenant_id: TenantId, user_id: UserId) -> bool:
        """Gives the login to a user. False if somebody has it."""
        written = await self._session.scalar(
            postgresql.insert(LoginRow)
            .values(login_hash=login, tenant_id=tenant_id, user_id=user_id)
            .on_conflict_do_nothing()
            .returning(LoginRow.user_id)
        )
        return written is not None

    async def add_role(self, user_id: UserId, role: Role) -> None:
        await self._session.execute(insert(MembershipRow).values(user_id=user_id, role=role))

    async def find_request(self, request_id: UUID) -> tuple[UserId, bytes] | None:
        """Returns the user of this tenant that a request made, with the request's fingerprint."""
        row = await self._session.scalar(select(UserRow).where(UserRow.request_id == request_id))
        return None if row is None else (UserId(row.user_id), row.fingerprint)

    async def permissions(self, user_id: UserId) -> frozenset[str]:
        """Returns what a user of the transaction's tenant may do, by all their roles."""
        found = await self._session.scalars(
            select(RolePermissionRow.permission)
            .join(MembershipRow, MembershipRow.role == RolePermissionRow.role)
            .where(MembershipRow.user_id == user_id)
        )
        return frozenset(found)


class LoginStore:
    """Knows logins by their hashes. Row-level security does not reach here."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find(self, login: LoginHash) -> tuple[TenantId, UserId] | None:
        row = await self._session.scalar(select(LoginRow).where(LoginRow.login_hash == login))
        return None if row is None else (TenantId(row.tenant_id), UserId(row.user_id))


def _tenant_from(row: TenantRow) -> Tenant:
    return Tenant(
        tenant_id=TenantId(row.tenant_id),
        name=row.name,
        display_name=row.display_name,
        home_epoch=row.home_epoch,
        create_time=row.create_time,
    )
