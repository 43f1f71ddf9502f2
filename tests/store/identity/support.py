"""Identity on a real PostgreSQL, as the service's own role."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import uuid4

from pydantic import SecretStr

from deploy.local.postgres import Postgres
from services.chassis.database import Database
from services.chassis.tenancy import TenantId, UserId
from services.identity import tenants
from services.identity.domain import LoginHash, Role, Tenant, TenantDraft, UserDraft, login_hash
from services.identity.store import TenantStore, UserStore
from tests.support.servers import postgres

HOME = "eu-central-1"
SIBLING = "eu-west-1"
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@contextmanager
def identity_postgres() -> Iterator[Postgres]:
    """A new PostgreSQL with the identity database at its newest revision."""
    with postgres("identity") as server:
        yield server


def open_database(servers: dict[str, Postgres]) -> Database:
    return Database(
        {region: SecretStr(server.app_url("identity")) for region, server in servers.items()}
    )


def fresh(prefix: str = "tenant") -> str:
    """A name that no other test has."""
    return f"{prefix}-{uuid4().hex[:12]}"


def new_login() -> LoginHash:
    return login_hash("p" * 32, "https://signin.eu.example", f"{fresh()}@hemline.example")


def tenant_draft(name: str, display_name: str = "A retailer") -> TenantDraft:
    return TenantDraft(uuid4(), name, display_name)


def user_draft(tenant: Tenant, role: Role = Role.PLANNER) -> UserDraft:
    return UserDraft(uuid4(), tenant.name, new_login(), role)


async def make_tenant(
    database: Database, draft: TenantDraft | None = None, region: str = HOME
) -> Tenant:
    tenant_id = TenantId(uuid4())
    async with database.transaction_of(region, tenant_id) as session:
        return await tenants.create_tenant(
            draft or tenant_draft(fresh()), tenant_id, store=TenantStore(session), now=NOW
        )


async def make_user(
    database: Database, tenant: Tenant, draft: UserDraft, region: str = HOME
) -> UserId:
    async with database.transaction_of(region, tenant.tenant_id) as session:
        return await tenants.create_user(
            draft, UserId(uuid4()), tenant.tenant_id, store=UserStore(session), now=NOW
        )
