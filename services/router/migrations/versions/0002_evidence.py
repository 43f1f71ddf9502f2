"""Evidence of where calls were served."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

from services.chassis.migrate import protect

revision = "0002"
down_revision = "0001"

TEXT = sa.String(collation="C")
MOMENT = sa.DateTime(timezone=True)
KEPT = "interval '400 days'"
COUNTS = "UPDATE (calls, violations)"


def upgrade() -> None:
    op.create_table(
        "residency_total",
        *_counted(),
        _text("token_jurisdiction"),
        sa.PrimaryKeyConstraint("hour", "token_jurisdiction", "served_region", "reporter"),
    )
    default = sa.text("current_setting('hemline.tenant_id')::uuid")
    op.create_table(
        "residency_tenant",
        sa.Column("tenant_id", UUID, server_default=default, nullable=False),
        *_counted(),
        sa.PrimaryKeyConstraint("tenant_id", "hour", "served_region", "reporter"),
    )
    # Not by tenant: what stands here is read by operators.
    op.create_table(
        "residency_violation",
        sa.Column(
            "violation_id", UUID, server_default=sa.text("gen_random_uuid()"), primary_key=True
        ),
        sa.Column("time", MOMENT, nullable=False),
        *(_text(name) for name in ("token_jurisdiction", "served_region", "node", "method")),
        _text("trace_id"),
    )
    op.create_index("residency_violation_time", "residency_violation", ["time"])
    _share("residency_total", privileges=f"SELECT, INSERT, {COUNTS}")
    _share("residency_violation", privileges="SELECT, INSERT")
    protect("residency_tenant", service="router", privileges=f"SELECT, INSERT, {COUNTS}")
    for table, moment in (
        ("residency_total", "hour"),
        ("residency_tenant", "hour"),
        ("residency_violation", "time"),
    ):
        _keep(table, moment)


def _counted() -> tuple[sa.Column, ...]:
    return (
        sa.Column("hour", MOMENT, nullable=False),
        _text("served_region"),
        _text("reporter"),
        sa.Column("calls", sa.BigInteger, nullable=False),
        sa.Column("violations", sa.BigInteger, nullable=False),
    )


def _text(name: str) -> sa.Column:
    return sa.Column(name, TEXT, nullable=False)


def _share(table: str, *, privileges: str) -> None:
    """Rows of no tenant. Row-level security is on all the same, for what `_keep` forbids."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY shared ON {table} USING (true) WITH CHECK (true)")
    op.execute(f"GRANT {privileges} ON {table} TO router_app")


def _keep(table: str, moment: str) -> None:
    """The service may delete what is old, of every tenant, and nothing that is younger."""
    old = f"{moment} < now() - {KEPT}"
    op.execute(f"CREATE POLICY old ON {table} FOR DELETE USING ({old})")
    op.execute(f"CREATE POLICY only_old ON {table} AS RESTRICTIVE FOR DELETE USING ({old})")
    op.execute(f"GRANT DELETE ON {table} TO router_app")
