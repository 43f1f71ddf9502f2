"""From a login to all that the enriched token says about its user."""

from services.chassis.database import Database, DatabaseUnavailable
from services.chassis.tenancy import TenantId, UserId, reading
from services.identity.domain import LoginHash, LoginUnknown, Resident
from services.identity.store import LoginStore, TenantStore, UserStore


async def enrich(login: LoginHash, *, database: Database, regions: tuple[str, ...]) -> Resident:
    """Finds the user of ``login`` in the first of ``regions`` that knows it.

    Raises:
        LoginUnknown: none of them does.
        DatabaseUnavailable: one that might does not answer.
    """
    unavailable: DatabaseUnavailable | None = None
    for region in regions:
        try:
            with reading():
                found = await _find(login, database, region)
                if found is not None:
                    return await _resident(*found, database=database, region=region)
        except DatabaseUnavailable as error:
            unavailable = error
    # "Unknown" would be a guess while a region is silent.
    if unavailable is not None:
        raise unavailable
    raise LoginUnknown("No tenant has this login. Ask your administrator for an account.")


async def _find(
    login: LoginHash, database: Database, region: str
) -> tuple[TenantId, UserId] | None:
    async with database.transaction_of(region, None) as session:
        return await LoginStore(session).find(login)


async def _resident(
    tenant_id: TenantId, user_id: UserId, *, database: Database, region: str
) -> Resident:
    async with database.transaction_of(region, tenant_id) as session:
        home_epoch = await TenantStore(session).home_epoch()
        permissions = await UserStore(session).permissions(user_id)
    if home_epoch is None:
        # A foreign key keeps this from happening.
        raise LookupError(f"Tenant {tenant_id} of a login is not in {region}.")
    return Resident(tenant_id, user_id, region, home_epoch, permissions)
