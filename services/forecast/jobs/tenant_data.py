"""One tenant's rows, for work that has no caller."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from services.chassis.database import Database
from services.chassis.tenancy import TenantId


@dataclass(frozen=True, slots=True)
class TenantData:
    database: Database
    home_region: str
    tenant_id: TenantId

    def transaction(self) -> AbstractAsyncContextManager[AsyncSession]:
        """See `Database.transaction`. Reads the newest rows, and may write."""
        return self.database.transaction_of(self.home_region, self.tenant_id)
