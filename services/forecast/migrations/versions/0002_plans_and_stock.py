"""Promotion plans and calendars, as they were known when; attributes; stock at the end of days."""

import sqlalchemy as sa
from alembic import op

from services.chassis.migrate import protect

revision = "0002"
down_revision = "0001"

READ_AND_ADD = "SELECT, INSERT"
TEXT = sa.Text(collation="C")


def upgrade() -> None:
    _plans()
    _attributes()
    _stock()
    _imports()


def _tenant() -> sa.Column:
    default = sa.text("current_setting('hemline.tenant_id')::uuid")
    return sa.Column("tenant_id", sa.Uuid, primary_key=True, server_default=default)


def _key(name: str, kind: sa.types.TypeEngine = TEXT) -> sa.Column:
    return sa.Column(name, kind, primary_key=True)


def _known_time() -> sa.Column:
    # Part of the key: what was known before stays, so that a backtest reads it.
    return _key("known_time", sa.DateTime(timezone=True))


def _needed(name: str, kind: sa.types.TypeEngine) -> sa.Column:
    return sa.Column(name, kind, nullable=False)


def _plans() -> None:
    op.create_table(
        "promotion",
        _tenant(),
        *(_key(name) for name in ("promotion", "store", "scope", "target")),
        _known_time(),
        _needed("start_date", sa.Date),
        _needed("end_date", sa.Date),
        _needed("kind", TEXT),
        _needed("discount_share", sa.Double),
        sa.Column("price_micros", sa.BigInteger),
        _needed("cancelled", sa.Boolean),
        sa.CheckConstraint("start_date <= end_date", name="promotion_ends_after_its_start"),
    )
    op.create_table(
        "calendar_event",
        _tenant(),
        *(_key(name) for name in ("event", "store")),
        _key("start_date", sa.Date),
        _known_time(),
        _needed("end_date", sa.Date),
        _needed("closed", sa.Boolean),
        _needed("cancelled", sa.Boolean),
        sa.CheckConstraint("start_date <= end_date", name="calendar_event_ends_after_its_start"),
    )
    protect("promotion", service="forecast", privileges=READ_AND_ADD)
    protect("calendar_event", service="forecast", privileges=READ_AND_ADD)


def _attributes() -> None:
    op.create_table(
        "attribute",
        _tenant(),
        *(_key(name) for name in ("subject", "code", "attribute")),
        _needed("value", TEXT),
        sa.CheckConstraint("subject IN ('sku', 'store')", name="attribute_of_sku_or_store"),
    )
    protect("attribute", service="forecast", privileges=f"{READ_AND_ADD}, UPDATE (value)")


def _stock() -> None:
    op.create_table(
        "stock_day",
        _tenant(),
        *(_key(name) for name in ("store", "sku")),
        _key("stock_date", sa.Date),
        _needed("on_hand_units", sa.BigInteger),
        sa.CheckConstraint("on_hand_units >= 0", name="stock_day_not_negative"),
    )
    protect("stock_day", service="forecast", privileges=f"{READ_AND_ADD}, UPDATE (on_hand_units)")


def _imports() -> None:
    op.create_table(
        "data_import",
        _tenant(),
        _key("request_id", sa.Uuid),
        _needed("kind", TEXT),
        _needed("fingerprint", sa.LargeBinary),
        _needed("lines", sa.Integer),
        _needed("new_lines", sa.Integer),
        _needed("changed_lines", sa.Integer),
        _needed("create_time", sa.DateTime(timezone=True)),
    )
    protect("data_import", service="forecast", privileges=READ_AND_ADD)
