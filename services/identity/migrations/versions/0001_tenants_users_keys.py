"""Tenants, users, roles, logins and signing keys."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA, UUID

from services.chassis.migrate import protect

revision = "0001"
down_revision = None

SERVICE = "identity"
APPEND_ONLY = "SELECT, INSERT"
TEXT = sa.String(collation="C")
MOMENT = sa.DateTime(timezone=True)

PERMISSIONS = {
    "planner": ("forecast:read", "forecast:write", "inventory:read", "inventory:write"),
    "store-manager": ("forecast:read", "inventory:read", "inventory:write"),
    "viewer": ("forecast:read", "inventory:read"),
    "platform-admin": ("platform:admin",),
}


def upgrade() -> None:
    _roles()
    _tenants()
    _users()
    _logins()
    _signing_keys()
    for table in ("tenant", "user_account", "membership"):
        protect(table, service=SERVICE, privileges=APPEND_ONLY)
    _let_operators_list()


def _tenant() -> sa.Column:
    default = sa.text("current_setting('hemline.tenant_id')::uuid")
    return sa.Column("tenant_id", UUID, server_default=default, nullable=False)


def _request() -> tuple[sa.Column, sa.Column]:
    return (
        sa.Column("request_id", UUID, nullable=False),
        sa.Column("fingerprint", BYTEA, nullable=False),
    )


def _roles() -> None:
    """What each role may do. The same for every tenant, and the service cannot change it."""
    role = op.create_table("role", sa.Column("role", TEXT, primary_key=True))
    permission = op.create_table(
        "role_permission",
        sa.Column("role", TEXT, sa.ForeignKey("role.role"), primary_key=True),
        sa.Column("permission", TEXT, primary_key=True),
    )
    op.bulk_insert(role, [{"role": name} for name in PERMISSIONS])
    op.bulk_insert(
        permission,
        [{"role": name, "permission": each} for name, all_ in PERMISSIONS.items() for each in all_],
    )
    op.execute(f"GRANT SELECT ON role, role_permission TO {SERVICE}_app")


def _tenants() -> None:
    # The unique keys hold across tenants, whatever row-level security hides.
    op.create_table(
        "tenant",
        _tenant(),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("display_name", TEXT, nullable=False),
        sa.Column("home_epoch", sa.BigInteger, server_default="1", nullable=False),
        sa.Column("create_time", MOMENT, nullable=False),
        *_request(),
        sa.PrimaryKeyConstraint("tenant_id"),
        sa.UniqueConstraint("name", name="tenant_name"),
        sa.UniqueConstraint("request_id", name="tenant_request"),
        sa.CheckConstraint("home_epoch >= 1", name="tenant_home_epoch"),
    )


def _users() -> None:
    op.create_table(
        "user_account",
        _tenant(),
        sa.Column("user_id", UUID, nullable=False),
        sa.Column("create_time", MOMENT, nullable=False),
        *_request(),
        sa.PrimaryKeyConstraint("tenant_id", "user_id"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"]),
        sa.UniqueConstraint("request_id", name="user_account_request"),
    )
    op.create_table(
        "membership",
        _tenant(),
        sa.Column("user_id", UUID, nullable=False),
        sa.Column("role", TEXT, sa.ForeignKey("role.role"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "user_id", "role"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"], ["user_account.tenant_id", "user_account.user_id"]
        ),
    )


def _logins() -> None:
    """Read before the tenant is known, so without row-level security. Says nothing of a person."""
    op.create_table(
        "login",
        sa.Column("login_hash", BYTEA, primary_key=True),
        sa.Column("tenant_id", UUID, nullable=False),
        sa.Column("user_id", UUID, nullable=False),
        sa.CheckConstraint("octet_length(login_hash) = 32", name="login_hashed"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"], ["user_account.tenant_id", "user_account.user_id"]
        ),
    )
    op.execute(f"GRANT {APPEND_ONLY} ON login TO {SERVICE}_app")


def _signing_keys() -> None:
    """The region's own, no tenant's. The private half is encrypted by the service."""
    op.create_table(
        "signing_key",
        sa.Column("kid", TEXT, primary_key=True),
        sa.Column("issuer", TEXT, nullable=False),
        sa.Column("x", TEXT, nullable=False),
        sa.Column("y", TEXT, nullable=False),
        sa.Column("sealed", BYTEA, nullable=False),
        sa.Column("create_time", MOMENT, nullable=False),
    )
    op.execute(f"GRANT {APPEND_ONLY} ON signing_key TO {SERVICE}_app")


def _let_operators_list() -> None:
    # Operators list the region's tenants, and find one by name to put a user into it. A second
    # table of names without row-level security would be open to every transaction and could
    # disagree with this one. This policy opens reading, of this table alone, to a transaction that
    # says that it is an operator's: users and memberships stay hidden from it, and it writes
    # nothing. The price: any code here could say so; `TenantStore.as_operator` is the one place.
    op.execute(
        "CREATE POLICY operator_reads ON tenant FOR SELECT "
        "USING (current_setting('hemline.operator', true) = 'on')"
    )
