"""What the service's own role can reach, and what it cannot."""

import psycopg
import pytest
from sqlalchemy import exc, func, select, text
from sqlalchemy import table as sa_table

from deploy.local.postgres import Postgres
from services.chassis.database import Database
from services.chassis.tenancy import TenantId
from services.identity.domain import Role
from services.identity.store import TenantStore
from tests.store.identity.support import HOME, make_tenant, make_user, user_draft

TENANT_TABLES = ("tenant", "user_account", "membership")


async def rows(database: Database, table: str, tenant_id: TenantId | None) -> int:
    async with database.transaction_of(HOME, tenant_id) as session:
        counted = select(func.count()).select_from(sa_table(table))
        return int(await session.scalar(counted) or 0)


@pytest.mark.parametrize("table", TENANT_TABLES)
async def test_a_tenant_sees_its_own_rows_alone(database: Database, table: str) -> None:
    one, other = await make_tenant(database), await make_tenant(database)
    await make_user(database, one, user_draft(one))
    await make_user(database, other, user_draft(other))
    assert await rows(database, table, one.tenant_id) == 1


@pytest.mark.parametrize("table", TENANT_TABLES)
async def test_without_a_tenant_nothing_is_seen(database: Database, table: str) -> None:
    tenant = await make_tenant(database)
    await make_user(database, tenant, user_draft(tenant))
    assert await rows(database, table, None) == 0


async def test_an_operator_reads_tenants_but_neither_users_nor_memberships(
    database: Database,
) -> None:
    tenant = await make_tenant(database)
    await make_user(database, tenant, user_draft(tenant))
    async with database.transaction_of(HOME, None) as session:
        store = TenantStore(session)
        await store.as_operator()
        assert await store.find_named(tenant.name) == tenant
        assert await session.scalar(text("SELECT count(*) FROM user_account")) == 0
        assert await session.scalar(text("SELECT count(*) FROM membership")) == 0


async def test_being_an_operator_ends_with_the_transaction(database: Database) -> None:
    tenant = await make_tenant(database)
    async with database.transaction_of(HOME, None) as session:
        await TenantStore(session).as_operator()
    # More often than there are connections, so that the one of before is among them.
    for _ in range(6):
        async with database.transaction_of(HOME, None) as session:
            assert await TenantStore(session).find_named(tenant.name) is None


async def test_nobody_writes_into_another_tenant(database: Database) -> None:
    one, other = await make_tenant(database), await make_tenant(database)
    user = await make_user(database, other, user_draft(other))
    with pytest.raises(exc.ProgrammingError, match="row-level security"):
        async with database.transaction_of(HOME, one.tenant_id) as session:
            await session.execute(
                text("INSERT INTO membership (tenant_id, user_id, role) VALUES (:t, :u, :r)"),
                {"t": other.tenant_id, "u": user, "r": Role.PLATFORM_ADMIN},
            )


async def test_an_operator_writes_no_tenant_but_the_transactions_own(database: Database) -> None:
    one = await make_tenant(database)
    stray = text(
        "INSERT INTO tenant (tenant_id, name, display_name, create_time, request_id, fingerprint) "
        "VALUES (gen_random_uuid(), 'stray', '', now(), gen_random_uuid(), '')"
    )
    async with database.transaction_of(HOME, one.tenant_id) as session:
        await TenantStore(session).as_operator()
        with pytest.raises(exc.ProgrammingError, match="row-level security"):
            await session.execute(stray)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO role_permission (role, permission) VALUES ('viewer', 'platform:admin')",
        "UPDATE role_permission SET permission = 'platform:admin'",
        "UPDATE login SET user_id = gen_random_uuid()",
        "DELETE FROM login",
        "DELETE FROM signing_key",
        "UPDATE tenant SET home_epoch = 9",
        "UPDATE membership SET role = 'platform-admin'",
        "ALTER TABLE tenant DISABLE ROW LEVEL SECURITY",
    ],
)
async def test_the_service_can_change_neither_roles_nor_logins_nor_keys(
    database: Database, statement: str
) -> None:
    with pytest.raises(exc.ProgrammingError, match=r"permission denied|must be owner"):
        async with database.transaction_of(HOME, None) as session:
            await session.execute(text(statement))


async def test_a_login_that_is_not_a_hash_cannot_be_stored(database: Database) -> None:
    tenant = await make_tenant(database)
    user = await make_user(database, tenant, user_draft(tenant))
    with pytest.raises(exc.IntegrityError, match="login_hashed"):
        async with database.transaction_of(HOME, tenant.tenant_id) as session:
            await session.execute(
                text("INSERT INTO login VALUES (:hash, :t, :u)"),
                {"hash": b"a@b.example", "t": tenant.tenant_id, "u": user},
            )


def test_no_column_could_hold_an_address(servers: dict[str, Postgres]) -> None:
    """Whoever adds one should have to change this list, and think."""
    with psycopg.connect(servers[HOME].owner_url("identity")) as connection:
        found = connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = 'public' AND data_type IN ('text', 'character varying') "
            "AND table_name <> 'alembic_version' ORDER BY 1, 2"
        ).fetchall()
    assert found == [
        ("membership", "role"),
        ("role", "role"),
        ("role_permission", "permission"),
        ("role_permission", "role"),
        ("signing_key", "issuer"),
        ("signing_key", "kid"),
        ("signing_key", "x"),
        ("signing_key", "y"),
        ("tenant", "display_name"),
        ("tenant", "name"),
    ]
