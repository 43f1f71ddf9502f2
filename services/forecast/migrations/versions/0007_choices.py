"""All SKUs of a style, without reading all attributes."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_index(
        "attribute_styles",
        "attribute",
        ["tenant_id", "value", "code"],
        postgresql_where=sa.text("subject = 'sku' AND attribute = 'style'"),
    )
