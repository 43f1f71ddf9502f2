"""Totals over the first periods of each series, and of groups of series, from simulated paths."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from services.chassis.migrate import protect

revision = "0005"
down_revision = "0004"

TEXT = sa.Text(collation="C")
QUANTILES = ("p10", "p50", "p90")


def upgrade() -> None:
    for name in QUANTILES:
        # Runs of the version before have none.
        column = sa.Column(f"total_{name}", postgresql.ARRAY(sa.REAL))
        op.add_column("forecast_series", column)
    op.add_column("job_shard", sa.Column("sums", sa.LargeBinary))
    tenant = sa.text("current_setting('hemline.tenant_id')::uuid")
    op.create_table(
        "forecast_aggregate",
        sa.Column("tenant_id", sa.Uuid, primary_key=True, server_default=tenant),
        sa.Column("run_id", sa.Uuid, primary_key=True),
        sa.Column("level", TEXT, primary_key=True),
        sa.Column("name", TEXT, primary_key=True),
        *(
            sa.Column(f"horizon_{name}_units", sa.Double, nullable=False)
            for name in ("mean", *QUANTILES)
        ),
        sa.Column("mean", postgresql.ARRAY(sa.Double), nullable=False),
        *(sa.Column(name, postgresql.ARRAY(sa.REAL), nullable=False) for name in QUANTILES),
    )
    largest = ["tenant_id", "run_id", "level", sa.text("horizon_mean_units DESC"), "name"]
    op.create_index("forecast_aggregate_largest", "forecast_aggregate", largest)
    protect("forecast_aggregate", service="forecast", privileges="SELECT, INSERT, DELETE")
