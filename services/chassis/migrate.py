"""Alembic, driven the same way for every service, and the words that protect a table.

A migration runs as the owner of the database. The service itself runs as `<service>_app`, which
owns nothing, so that row-level security holds for it and it may do what a migration granted.
"""

from pathlib import Path

from alembic import command, context, op
from alembic.config import Config
from sqlalchemy import create_engine, make_url, pool

SERVICES = Path(__file__).parent.parent


def upgrade(service: str, owner_url: str) -> None:
    """Brings the database at ``owner_url`` to the newest revision of ``service``. Idempotent."""
    config = Config()
    config.set_main_option("script_location", str(SERVICES / service / "migrations"))
    config.attributes["owner_url"] = owner_url
    command.upgrade(config, "head")


def run_migrations() -> None:
    """What each service's `migrations/env.py` calls."""
    url = make_url(context.config.attributes["owner_url"]).set(drivername="postgresql+psycopg")
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.begin() as connection:
        context.configure(connection=connection)
        context.run_migrations()
    engine.dispose()


def protect(table: str, *, service: str, privileges: str) -> None:
    """Limits ``table`` to the rows of the transaction's tenant, and the service to ``privileges``.

    Args:
        table: has a column `tenant_id uuid`.
        service: whose `<service>_app` role is meant.
        privileges: what the role may do, such as `SELECT, INSERT`.
    """
    # An empty setting is no tenant, and no tenant sees nothing.
    own = "tenant_id = nullif(current_setting('hemline.tenant_id', true), '')::uuid"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY own_tenant ON {table} USING ({own}) WITH CHECK ({own})")
    op.execute(f"GRANT {privileges} ON {table} TO {service}_app")
