"""Makes a region's first operator, from whom every other tenant comes.

    python -m services.identity.bootstrap --operator-email EMAIL

Reads the same settings as the service. Running it again changes nothing.
"""

import argparse
import asyncio
import sys
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from services.chassis import server, settings
from services.chassis.clock import utc_now
from services.chassis.database import Database
from services.chassis.errors import HemlineError
from services.chassis.tenancy import TenantId, UserId
from services.identity import tenants
from services.identity.domain import LoginHash, Role, Tenant, TenantDraft, UserDraft, login_hash
from services.identity.server import trusted_providers
from services.identity.settings import IdentitySettings
from services.identity.store import TenantStore, UserStore

OPERATIONS = "hemline-operations"
DISPLAY_NAME = "Hemline operations"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m services.identity.bootstrap")
    parser.add_argument("--operator-email", required=True, help="signs in as the region's operator")
    email: str = parser.parse_args().operator_email
    loaded = settings.load(IdentitySettings)
    found = server.checked_topology(loaded)
    if loaded.region not in loaded.database_urls:
        sys.exit(settings.refusal(f"setting HEMLINE_DATABASE_URLS: nothing for {loaded.region}"))
    _, provider = trusted_providers(loaded, found)
    login = login_hash(loaded.login_pepper.get_secret_value(), provider.issuer, email)
    try:
        asyncio.run(_bootstrap(loaded, login))
    except HemlineError as error:
        sys.exit(settings.refusal(f"operator of {loaded.region}: {error}"))


async def _bootstrap(loaded: IdentitySettings, login: LoginHash) -> None:
    own_region = {loaded.region: loaded.database_urls[loaded.region]}
    database = Database(own_region, pool_size=1)
    try:
        await make_operator(login, database=database, region=loaded.region)
    finally:
        await database.close()


async def make_operator(login: LoginHash, *, database: Database, region: str) -> UserId:
    """Makes the operators' tenant of ``region``, and the user of ``login`` its platform admin.

    The request ids follow from what is asked for, so that a second run is a retry of the first.

    Raises:
        LoginTaken: the login belongs to another user.
    """
    tenant = await _operations(database, region)
    draft = UserDraft(
        request_id=_request_id(region, OPERATIONS, login.hex()),
        tenant=OPERATIONS,
        login=login,
        role=Role.PLATFORM_ADMIN,
    )
    async with database.transaction_of(region, tenant.tenant_id) as session:
        return await tenants.create_user(
            draft, UserId(uuid4()), tenant.tenant_id, store=UserStore(session), now=utc_now()
        )


async def _operations(database: Database, region: str) -> Tenant:
    draft = TenantDraft(_request_id(region, OPERATIONS), OPERATIONS, DISPLAY_NAME)
    tenant_id = TenantId(uuid4())
    async with database.transaction_of(region, tenant_id) as session:
        return await tenants.create_tenant(
            draft, tenant_id, store=TenantStore(session), now=utc_now()
        )


def _request_id(*parts: str) -> UUID:
    return uuid5(NAMESPACE_URL, "/".join(("https://hemline.example/bootstrap", *parts)))


if __name__ == "__main__":
    main()
