"""Counts of the residency evidence only grow, whatever the service asks for."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute(
        """
        CREATE FUNCTION residency_counts_grow() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.calls < OLD.calls OR NEW.violations < OLD.violations THEN
                RAISE EXCEPTION 'counts of the residency evidence only grow'
                    USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME;
            END IF;
            RETURN NEW;
        END
        $$
        """
    )
    for table in ("residency_total", "residency_tenant"):
        op.execute(
            f"CREATE TRIGGER counts_grow BEFORE UPDATE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION residency_counts_grow()"
        )
        # Nor does a new row take away from the sum of the others.
        op.create_check_constraint(f"{table}_counted", table, "calls >= 0 AND violations >= 0")
