"""The catalogue and the stock ledger."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA, UUID

from services.chassis.migrate import protect

revision = "0001"
down_revision = None

TEXT = sa.String(collation="C")
MOMENT = sa.DateTime(timezone=True)
MOST_LEVEL_UNITS = 1_000_000_000


def upgrade() -> None:
    _places()
    _products()
    _levels()
    _imports()
    _movements()
    _chain()
    append_only = "SELECT, INSERT"
    for table in ("store", "style", "choice", "sku", "movement", "stock_import"):
        protect(table, service="inventory", privileges=append_only)
    protect(
        "level",
        service="inventory",
        privileges=f"{append_only}, UPDATE (on_hand_units, last_sequence, update_time)",
    )


def _tenant() -> sa.Column:
    default = sa.text("current_setting('hemline.tenant_id')::uuid")
    return sa.Column("tenant_id", UUID, server_default=default, nullable=False)


def _text(name: str) -> sa.Column:
    return sa.Column(name, TEXT, nullable=False)


def _units(name: str, **options: object) -> sa.Column:
    return sa.Column(name, sa.BigInteger, nullable=False, **options)


def _moment(name: str) -> sa.Column:
    return sa.Column(name, MOMENT, nullable=False)


def _made_by(table: str) -> tuple[sa.schema.SchemaItem, ...]:
    """The request that made a row, once; both columns are null if an import made it."""
    return (
        sa.Column("request_id", UUID),
        sa.Column("fingerprint", BYTEA),
        sa.UniqueConstraint("tenant_id", "request_id", name=f"{table}_request"),
        sa.CheckConstraint(
            "(request_id IS NULL) = (fingerprint IS NULL)", name=f"{table}_fingerprinted"
        ),
    )


def _places() -> None:
    op.create_table(
        "store",
        _tenant(),
        _text("store"),
        _text("display_name"),
        _text("time_zone"),
        _moment("create_time"),
        *_made_by("store"),
        sa.PrimaryKeyConstraint("tenant_id", "store"),
    )


def _products() -> None:
    op.create_table(
        "style",
        _tenant(),
        _text("style"),
        _text("display_name"),
        _text("category"),
        _moment("create_time"),
        *_made_by("style"),
        sa.PrimaryKeyConstraint("tenant_id", "style"),
    )
    op.create_table(
        "choice",
        _tenant(),
        _text("style"),
        _text("colour"),
        _units("position"),
        sa.PrimaryKeyConstraint("tenant_id", "style", "colour"),
        sa.ForeignKeyConstraint(["tenant_id", "style"], ["style.tenant_id", "style.style"]),
        sa.UniqueConstraint("tenant_id", "style", "position", name="choice_place"),
    )
    op.create_table(
        "sku",
        _tenant(),
        _text("sku"),
        _text("style"),
        _text("colour"),
        _text("size"),
        _units("position"),
        sa.PrimaryKeyConstraint("tenant_id", "sku"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "style", "colour"],
            ["choice.tenant_id", "choice.style", "choice.colour"],
        ),
        sa.UniqueConstraint("tenant_id", "style", "colour", "size", name="sku_size"),
        sa.UniqueConstraint("tenant_id", "style", "colour", "position", name="sku_place"),
    )


def _levels() -> None:
    op.create_table(
        "level",
        _tenant(),
        _text("store"),
        _text("sku"),
        _units("on_hand_units", server_default="0"),
        _units("last_sequence", server_default="0"),
        _moment("update_time"),
        sa.PrimaryKeyConstraint("tenant_id", "store", "sku"),
        sa.ForeignKeyConstraint(["tenant_id", "store"], ["store.tenant_id", "store.store"]),
        sa.ForeignKeyConstraint(["tenant_id", "sku"], ["sku.tenant_id", "sku.sku"]),
        sa.CheckConstraint(
            f"on_hand_units BETWEEN 0 AND {MOST_LEVEL_UNITS}", name="level_within_limits"
        ),
    )


def _imports() -> None:
    op.create_table(
        "stock_import",
        _tenant(),
        sa.Column("request_id", UUID, nullable=False),
        sa.Column("fingerprint", BYTEA, nullable=False),
        _units("lines"),
        _units("movements"),
        _units("new_skus"),
        _units("new_stores"),
        _moment("count_time"),
        _moment("record_time"),
        sa.PrimaryKeyConstraint("tenant_id", "request_id"),
    )


def _movements() -> None:
    op.create_table(
        "movement",
        _tenant(),
        sa.Column("movement_id", UUID, server_default=sa.text("gen_random_uuid()"), nullable=False),
        _text("store"),
        _text("sku"),
        _units("sequence"),
        sa.Column("previous_sequence", sa.BigInteger, sa.Computed("nullif(sequence - 1, 0)", True)),
        _units("before_units"),
        _units("delta_units"),
        _units("on_hand_units"),
        _text("reason"),
        _moment("occur_time"),
        sa.Column("occur_nanos", sa.SmallInteger, nullable=False),
        _moment("record_time"),
        sa.Column("import_id", UUID),
        sa.PrimaryKeyConstraint("tenant_id", "movement_id"),
        # No gap, no fork: each number once.
        sa.UniqueConstraint("tenant_id", "store", "sku", "sequence", name="movement_sequence"),
        # What the chain below refers to.
        sa.UniqueConstraint(
            "tenant_id", "store", "sku", "sequence", "on_hand_units", name="movement_link"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "store", "sku"], ["level.tenant_id", "level.store", "level.sku"]
        ),
        sa.CheckConstraint("sequence >= 1", name="movement_counted"),
        sa.CheckConstraint("delta_units <> 0", name="movement_moves"),
        sa.CheckConstraint("before_units + delta_units = on_hand_units", name="movement_adds_up"),
        sa.CheckConstraint("sequence > 1 OR before_units = 0", name="movement_from_nothing"),
        sa.CheckConstraint(
            f"on_hand_units BETWEEN 0 AND {MOST_LEVEL_UNITS}", name="movement_within_limits"
        ),
        sa.CheckConstraint("occur_nanos BETWEEN 0 AND 999", name="movement_nanos"),
        sa.CheckConstraint(
            "reason IN ('receipt', 'sale', 'return', 'transfer', 'count')", name="movement_reason"
        ),
    )


def _chain() -> None:
    """Makes on hand = sum of movements a matter of structure.

    Each movement begins where the one before it ended, the first at zero; a level is what a
    movement left behind. The price is a second index on the ledger and a look-up for each row.
    """
    op.create_foreign_key(
        "movement_follows",
        "movement",
        "movement",
        ["tenant_id", "store", "sku", "previous_sequence", "before_units"],
        ["tenant_id", "store", "sku", "sequence", "on_hand_units"],
    )
    # Deferred: a level is made, and locked, before its first movement. It never outlives the
    # transaction without one.
    op.create_foreign_key(
        "level_is_left_behind",
        "level",
        "movement",
        ["tenant_id", "store", "sku", "last_sequence", "on_hand_units"],
        ["tenant_id", "store", "sku", "sequence", "on_hand_units"],
        deferrable=True,
        initially="DEFERRED",
    )
    op.create_foreign_key(
        "movement_imported",
        "movement",
        "stock_import",
        ["tenant_id", "import_id"],
        ["tenant_id", "request_id"],
        deferrable=True,
        initially="DEFERRED",
    )
