import pytest
from pydantic import SecretStr

from deploy.local.postgres import Postgres
from services.chassis.database import Database, DatabaseUnavailable
from services.identity.domain import LoginUnknown
from services.identity.enrich import enrich
from tests.store.identity.support import (
    HOME,
    SIBLING,
    make_tenant,
    make_user,
    new_login,
    user_draft,
)
from tests.support.servers import free_port


async def test_a_login_leads_to_its_user_wherever_in_the_jurisdiction_they_live(
    database: Database,
) -> None:
    tenant = await make_tenant(database, region=SIBLING)
    draft = user_draft(tenant)
    user_id = await make_user(database, tenant, draft, SIBLING)
    found = await enrich(draft.login, database=database, regions=(HOME, SIBLING))
    assert (found.tenant_id, found.user_id) == (tenant.tenant_id, user_id)
    assert (found.home_region, found.home_epoch) == (SIBLING, 1)
    assert "inventory:write" in found.permissions


async def test_a_login_of_nobody_is_unknown(database: Database) -> None:
    with pytest.raises(LoginUnknown):
        await enrich(new_login(), database=database, regions=(HOME, SIBLING))


async def test_unknown_is_not_said_while_a_region_is_silent(servers: dict[str, Postgres]) -> None:
    silent = SecretStr(f"postgresql://identity_app:x@127.0.0.1:{free_port()}/identity")
    home = SecretStr(servers[HOME].app_url("identity"))
    database = Database({HOME: home, SIBLING: silent})
    try:
        tenant = await make_tenant(database)
        draft = user_draft(tenant)
        user_id = await make_user(database, tenant, draft)
        with pytest.raises(DatabaseUnavailable):
            await enrich(new_login(), database=database, regions=(HOME, SIBLING))
        found = await enrich(draft.login, database=database, regions=(SIBLING, HOME))
        assert found.user_id == user_id
    finally:
        await database.close()
