"""Sales lines and imports; runs, their forecasts and trends."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from services.chassis.migrate import protect

revision = "0001"
down_revision = None

READ_AND_ADD = "SELECT, INSERT"
READ_ADD_DROP = "SELECT, INSERT, DELETE"


def upgrade() -> None:
    _sales()
    _runs()
    _forecasts()


def _tenant() -> sa.Column:
    default = sa.text("current_setting('hemline.tenant_id')::uuid")
    return sa.Column("tenant_id", sa.Uuid, primary_key=True, server_default=default)


def _key(name: str, kind: sa.types.TypeEngine) -> sa.Column:
    # Sorted byte by byte: store and SKU are ASCII, and pages must not depend on a locale.
    return sa.Column(name, kind, primary_key=True)


def _sales() -> None:
    op.create_table(
        "sale_line",
        _tenant(),
        _key("document", sa.Text(collation="C")),
        _key("sku", sa.Text(collation="C")),
        _key("occurrence", sa.Integer),
        sa.Column("store", sa.Text(collation="C"), nullable=False),
        sa.Column("product", sa.Text, nullable=False),
        sa.Column("sale_date", sa.Date, nullable=False),
        sa.Column("units", sa.Integer, nullable=False),
        sa.Column("unit_price_micros", sa.BigInteger, nullable=False),
        sa.CheckConstraint("units <> 0", name="sale_line_units_not_zero"),
    )
    op.create_table(
        "sales_import",
        _tenant(),
        _key("request_id", sa.Uuid),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("lines", sa.Integer, nullable=False),
        sa.Column("new_lines", sa.Integer, nullable=False),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
    )
    protect("sale_line", service="forecast", privileges=READ_AND_ADD)
    protect("sales_import", service="forecast", privileges=READ_AND_ADD)


def _runs() -> None:
    op.create_table(
        "run_lease",
        _tenant(),
        sa.Column("holder", sa.Uuid, nullable=False),
        sa.Column("expire_time", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "forecast_run",
        _tenant(),
        _key("number", sa.BigInteger),
        sa.Column("run_id", sa.Uuid, nullable=False),
        sa.Column("request_id", sa.Uuid, nullable=False),
        sa.Column("horizon_days", sa.Integer, nullable=False),
        sa.Column("cutoff_date", sa.Date, nullable=False),
        sa.Column("series", sa.BigInteger, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("coverage", sa.Double, nullable=False),
        sa.Column("wape", sa.Double, nullable=False),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("tenant_id", "request_id"),
    )
    protect("run_lease", service="forecast", privileges="SELECT, INSERT, UPDATE, DELETE")
    protect("forecast_run", service="forecast", privileges=READ_AND_ADD)


def _forecasts() -> None:
    op.create_table(
        "forecast",
        _tenant(),
        _key("run_number", sa.BigInteger),
        _key("store", sa.Text(collation="C")),
        _key("sku", sa.Text(collation="C")),
        sa.Column("product", sa.Text, nullable=False),
        sa.Column("horizon_mean_units", sa.Double, nullable=False),
        *(
            sa.Column(name, postgresql.ARRAY(sa.REAL), nullable=False)
            for name in ("mean", "p10", "p50", "p90")
        ),
    )
    op.create_index(
        "forecast_best_sellers",
        "forecast",
        ["tenant_id", "run_number", sa.text("horizon_mean_units DESC"), "store", "sku"],
    )
    op.create_table(
        "trend",
        _tenant(),
        _key("run_number", sa.BigInteger),
        _key("rank", sa.Integer),
        sa.Column("product", sa.Text, nullable=False),
        sa.Column("growth_ratio", sa.Double, nullable=False),
        sa.Column("growth_ratio_p10", sa.Double, nullable=False),
        sa.Column("recent_units", sa.BigInteger, nullable=False),
        sa.Column("previous_units", sa.BigInteger, nullable=False),
    )
    protect("forecast", service="forecast", privileges=READ_ADD_DROP)
    protect("trend", service="forecast", privileges=READ_ADD_DROP)
