"""What planners changed, and what the system had said of it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from services.chassis.migrate import protect

revision = "0004"
down_revision = "0003"

TEXT = sa.Text(collation="C")
SUBJECTS = ("store", "sku", "product", "category")


def upgrade() -> None:
    tenant = sa.text("current_setting('hemline.tenant_id')::uuid")
    op.create_table(
        "forecast_override",
        sa.Column("tenant_id", sa.Uuid, primary_key=True, server_default=tenant),
        sa.Column("override_id", sa.Uuid, primary_key=True),
        sa.Column("request_id", sa.Uuid, nullable=False),
        *(sa.Column(name, TEXT) for name in SUBJECTS),
        sa.Column("start_date", sa.Date, nullable=False),
        sa.Column("end_date", sa.Date, nullable=False),
        sa.Column("total_units", sa.Double),
        sa.Column("factor", sa.Double),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("author", sa.Uuid, nullable=False),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delete_time", sa.DateTime(timezone=True)),
        sa.Column("system_units", sa.Double, nullable=False),
        # Of the run that was current: the first period's date, and days in a period.
        sa.Column("first_date", sa.Date, nullable=False),
        sa.Column("period_days", sa.Integer, nullable=False),
        sa.UniqueConstraint("tenant_id", "request_id"),
        sa.CheckConstraint("start_date <= end_date", name="override_ends_after_its_start"),
        sa.CheckConstraint("num_nonnulls(total_units, factor) = 1", name="override_says_one_thing"),
    )
    newest = ["tenant_id", sa.text("create_time DESC"), "override_id"]
    op.create_index("forecast_override_newest", "forecast_override", newest)
    protect(
        "forecast_override",
        service="forecast",
        privileges="SELECT, INSERT, UPDATE (delete_time, system_units)",
    )
    op.create_table(
        "override_series",
        sa.Column("tenant_id", sa.Uuid, primary_key=True, server_default=tenant),
        # In this order: a forecast that is read asks for its own.
        sa.Column("store", TEXT, primary_key=True),
        sa.Column("sku", TEXT, primary_key=True),
        sa.Column("override_id", sa.Uuid, primary_key=True),
        sa.Column("system", postgresql.ARRAY(sa.REAL), nullable=False),
        sa.Column("units", postgresql.ARRAY(sa.REAL), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "override_id"],
            ["forecast_override.tenant_id", "forecast_override.override_id"],
        ),
    )
    op.create_index("override_series_of", "override_series", ["tenant_id", "override_id"])
    protect("override_series", service="forecast", privileges="SELECT, INSERT")
