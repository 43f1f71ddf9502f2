import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest

from services.chassis.database import Database
from services.chassis.errors import RequestIdReused
from services.chassis.paging import Page
from services.identity import tenants
from services.identity.domain import LoginTaken, Role, TenantExists, TenantNotFound
from services.identity.store import TenantStore, UserStore
from tests.store.identity.support import (
    HOME,
    SIBLING,
    fresh,
    make_tenant,
    make_user,
    tenant_draft,
    user_draft,
)


async def test_a_retry_returns_the_tenant_that_the_first_call_made(database: Database) -> None:
    draft = tenant_draft(fresh())
    first = await make_tenant(database, draft)
    assert await make_tenant(database, draft) == first


async def test_retries_in_flight_at_once_make_one_tenant(database: Database) -> None:
    draft = tenant_draft(fresh())
    made = await asyncio.gather(*(make_tenant(database, draft) for _ in range(4)))
    assert len({tenant.tenant_id for tenant in made}) == 1


async def test_a_request_id_makes_one_tenant_only(database: Database) -> None:
    draft = tenant_draft(fresh())
    await make_tenant(database, draft)
    with pytest.raises(RequestIdReused):
        await make_tenant(database, replace(draft, name=fresh()))
    with pytest.raises(RequestIdReused):
        await make_tenant(database, replace(draft, display_name="Another"))


async def test_a_name_is_taken_once(database: Database) -> None:
    draft = tenant_draft(fresh())
    await make_tenant(database, draft)
    with pytest.raises(TenantExists):
        await make_tenant(database, replace(draft, request_id=uuid4()))


async def test_a_tenant_that_is_not_there_is_not_found(database: Database) -> None:
    tenant = await make_tenant(database)
    assert await tenants.tenant_named(tenant.name, database=database, region=HOME) == tenant
    with pytest.raises(TenantNotFound):
        await tenants.tenant_named(tenant.name, database=database, region=SIBLING)


async def test_tenants_are_listed_by_name_page_by_page(database: Database) -> None:
    prefix = fresh("paged")
    names = [f"{prefix}-{letter}" for letter in "abcde"]
    for name in reversed(names):
        await make_tenant(database, tenant_draft(name))
    seen: list[str] = []
    after: tuple[str, ...] = (prefix,)
    while len(seen) < len(names):
        async with database.transaction_of(HOME, None) as session:
            store = TenantStore(session)
            await store.as_operator()
            found = await store.page(Page(size=2, after=after, shape=""))
        seen += [tenant.name for tenant in found[:2]]
        after = (seen[-1],)
    assert seen[:5] == names


async def test_a_retry_returns_the_user_that_the_first_call_made(database: Database) -> None:
    tenant = await make_tenant(database)
    draft = user_draft(tenant)
    first = await make_user(database, tenant, draft)
    assert await make_user(database, tenant, draft) == first


async def test_retries_in_flight_at_once_make_one_user(database: Database) -> None:
    tenant = await make_tenant(database)
    draft = user_draft(tenant)
    made = await asyncio.gather(*(make_user(database, tenant, draft) for _ in range(4)))
    assert len(set(made)) == 1


async def test_a_request_id_makes_one_user_only_whatever_the_tenant(database: Database) -> None:
    one, other = await make_tenant(database), await make_tenant(database)
    draft = user_draft(one)
    await make_user(database, one, draft)
    with pytest.raises(RequestIdReused):
        await make_user(database, one, replace(draft, role=Role.VIEWER))
    with pytest.raises(RequestIdReused):
        await make_user(database, other, replace(draft, tenant=other.name))


async def test_a_login_is_one_user_and_a_refusal_leaves_nothing(database: Database) -> None:
    one, other = await make_tenant(database), await make_tenant(database)
    draft = user_draft(one)
    await make_user(database, one, draft)
    second = replace(draft, request_id=uuid4(), tenant=other.name)
    with pytest.raises(LoginTaken):
        await make_user(database, other, second)
    async with database.transaction_of(HOME, other.tenant_id) as session:
        assert await UserStore(session).find_request(second.request_id) is None


async def test_a_login_of_a_sibling_region_is_taken_too(database: Database) -> None:
    tenant = await make_tenant(database, region=SIBLING)
    draft = user_draft(tenant)
    await make_user(database, tenant, draft, SIBLING)
    with pytest.raises(LoginTaken):
        await tenants.ensure_free(draft, database=database, regions=(SIBLING,))


@pytest.mark.parametrize(
    ("role", "permissions"),
    [
        (Role.PLANNER, "forecast:read forecast:write inventory:read inventory:write"),
        (Role.STORE_MANAGER, "forecast:read inventory:read inventory:write"),
        (Role.VIEWER, "forecast:read inventory:read"),
        (Role.PLATFORM_ADMIN, "platform:admin"),
    ],
)
async def test_a_role_grants_what_it_should(
    database: Database, role: Role, permissions: str
) -> None:
    tenant = await make_tenant(database)
    user_id = await make_user(database, tenant, user_draft(tenant, role))
    async with database.transaction_of(HOME, tenant.tenant_id) as session:
        assert await UserStore(session).permissions(user_id) == set(permissions.split())
