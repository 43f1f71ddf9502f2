"""What operators do: one function a use case, each inside one transaction."""

from datetime import datetime

from services.chassis.database import Database
from services.chassis.errors import RequestIdReused
from services.chassis.tenancy import TenantId, UserId
from services.identity.domain import (
    LoginTaken,
    Tenant,
    TenantDraft,
    TenantExists,
    TenantNotFound,
    UserDraft,
)
from services.identity.store import LoginStore, TenantStore, UserStore


async def create_tenant(
    draft: TenantDraft, tenant_id: TenantId, *, store: TenantStore, now: datetime
) -> Tenant:
    """Makes the tenant once, however often the caller retries.

    Args:
        draft: what to make.
        tenant_id: of the new tenant, in whose name the transaction of ``store`` was opened.
        store: of the home region.
        now: when.

    Raises:
        TenantExists: the name is taken.
        RequestIdReused: the request_id made another tenant.
    """
    tenant = Tenant(tenant_id, draft.name, draft.display_name, home_epoch=1, create_time=now)
    # Insert first: of two retries in flight the second waits here for the first, and then finds it.
    if await store.insert(draft, tenant):
        return tenant
    await store.as_operator()
    earlier = await store.find_request(draft.request_id)
    if earlier is None:
        raise TenantExists("A tenant of this name exists.", tenant=draft.name)
    made, fingerprint = earlier
    if fingerprint != draft.fingerprint:
        raise RequestIdReused(draft.request_id)
    return made


async def tenant_named(name: str, *, database: Database, region: str) -> Tenant:
    """Returns the tenant of ``region`` with this name. Raises TenantNotFound."""
    async with database.transaction_of(region, None) as session:
        store = TenantStore(session)
        await store.as_operator()
        tenant = await store.find_named(name)
    if tenant is None:
        raise TenantNotFound(f"No such tenant in {region}.", tenant=name, home_region=region)
    return tenant


async def create_user(
    draft: UserDraft,
    user_id: UserId,
    tenant_id: TenantId,
    *,
    store: UserStore,
    now: datetime,
) -> UserId:
    """Makes the user once, however often the caller retries. Returns whom the first call made.

    The transaction of ``store`` was opened in the name of ``tenant_id``.

    Raises:
        LoginTaken: the login belongs to a user of this region.
        RequestIdReused: the request_id made another user.
    """
    if not await store.insert(draft, user_id, now):
        earlier = await store.find_request(draft.request_id)
        # Not found is another tenant's, which row-level security hides.
        if earlier is None or earlier[1] != draft.fingerprint:
            raise RequestIdReused(draft.request_id)
        return earlier[0]
    if not await store.give_login(draft.login, tenant_id, user_id):
        raise _taken()
    await store.add_role(user_id, draft.role)
    return user_id


async def ensure_free(draft: UserDraft, *, database: Database, regions: tuple[str, ...]) -> None:
    """Checks that no user of ``regions`` has the login: signing in must not depend on the region.

    Two operators who give one login away in two regions at the same moment are not kept apart; the
    region that the user's edge asks first then wins until one of the two is removed.

    Raises:
        LoginTaken: somebody has it.
        DatabaseUnavailable: a region does not answer.
    """
    for region in regions:
        async with database.transaction_of(region, None) as session:
            if await LoginStore(session).find(draft.login) is not None:
                raise _taken()


def _taken() -> LoginTaken:
    return LoginTaken("The login already belongs to a user. One login is one user.")
