"""Columns that mean the same in every service's tables."""

from typing import Annotated
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import mapped_column

TenantKey = Annotated[
    UUID,
    mapped_column(
        primary_key=True, server_default=text("current_setting('hemline.tenant_id')::uuid")
    ),
]
"""PostgreSQL takes the tenant from the transaction; row-level security then checks it."""
