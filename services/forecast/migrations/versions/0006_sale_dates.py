"""The last day of sales without reading all of them, and what sold on some days."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_index("sale_line_dates", "sale_line", ["tenant_id", "sale_date"])
