"""The log of policy changes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA, JSONB, UUID

revision = "0001"
down_revision = None

TEXT = sa.String(collation="C")


def upgrade() -> None:
    # Each region's database holds the log of the whole jurisdiction; routers copy what is missing.
    # No tenant's: it says how traffic is steered, and which operator wanted it so.
    op.create_table(
        "policy_change",
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("region", TEXT, nullable=False),
        sa.Column("request_id", UUID, nullable=False),
        sa.Column("fingerprint", BYTEA, nullable=False),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("operator", TEXT, nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("settings", JSONB, nullable=False),
        # Not the request_id alone: cut off from each other, two regions may take it once each.
        sa.PrimaryKeyConstraint("version", "region", "request_id"),
        sa.CheckConstraint("version >= 1", name="policy_change_counted"),
    )
    # Append-only, for the service itself: what an operator did cannot be undone unseen.
    op.execute("GRANT SELECT, INSERT ON policy_change TO router_app")
