"""Jobs, their shards and schedule; forecasts in a partition a run.

The service's role owns nothing, so it can neither make nor drop a partition. Two functions of
the owner do it: they take the tenant from the transaction, as row-level security does, and derive
the partition's name from it. A transaction of one tenant cannot even name another's partition.
Partitions grant nothing: rows are reached through their parent, under its policy.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from services.chassis.migrate import protect

revision = "0003"
down_revision = "0002"

EVERYTHING = "SELECT, INSERT, UPDATE, DELETE"
READ_AND_ADD = "SELECT, INSERT"
READ_ADD_DROP = "SELECT, INSERT, DELETE"

ADD_PARTITION = """
CREATE FUNCTION forecast_add_partition(parent text, key uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    tenant uuid := nullif(current_setting('hemline.tenant_id', true), '')::uuid;
    part text := parent || '_' || md5(tenant::text || key::text);
    part_key text := CASE parent WHEN 'forecast_series' THEN 'run_id'
        WHEN 'job_input' THEN 'job_id' END;
BEGIN
    IF tenant IS NULL OR part_key IS NULL OR key IS NULL THEN
        RAISE insufficient_privilege USING MESSAGE = 'no partition of that table for this tenant';
    END IF;
    EXECUTE format(
        'CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE'
        ' INCLUDING INDEXES, CHECK (tenant_id = %L), CHECK (%I = %L AND %I IS NOT NULL))',
        part, parent, tenant, part_key, key, part_key);
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', part);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', part);
    -- Unlike CREATE TABLE ... PARTITION OF, this lets others read and write the parent meanwhile.
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES IN (%L)', parent, part, key);
    INSERT INTO forecast_partition (tenant_id, parent, key) VALUES (tenant, parent, key);
END $$
"""
DROP_PARTITION = """
CREATE FUNCTION forecast_drop_partition(parent text, key uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    tenant uuid := nullif(current_setting('hemline.tenant_id', true), '')::uuid;
    gone boolean;
BEGIN
    DELETE FROM forecast_partition AS own
    WHERE own.tenant_id = tenant AND own.parent = forecast_drop_partition.parent
        AND own.key = forecast_drop_partition.key
    RETURNING true INTO gone;
    IF gone THEN
        EXECUTE format('DROP TABLE %I', parent || '_' || md5(tenant::text || key::text));
    END IF;
END $$
"""
FIRST_SALES = """
CREATE FUNCTION forecast_first_sales() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO job_turn (wake_time) VALUES (now()) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$
"""
OLD_RUNS = """
SELECT tenant_id, run_id, number FROM (
    SELECT tenant_id, run_id, number,
           row_number() OVER (PARTITION BY tenant_id ORDER BY number DESC) AS age
    FROM forecast_run
) AS runs WHERE age <= 3
"""
MOVE_RUN = """
INSERT INTO forecast_series
    (run_id, store, sku, product, horizon_mean_units, mean, p10, p50, p90, tier, shard)
SELECT :run, store, sku, product, horizon_mean_units, mean, p10, p50, p90, 'tsb-calendar', 0
FROM forecast WHERE tenant_id = :tenant AND run_number = :number
"""


def upgrade() -> None:
    _jobs()
    _shards()
    _series()
    _scores()
    _turns()
    _partitions()
    _move()


def _tenant() -> sa.Column:
    default = sa.text("current_setting('hemline.tenant_id')::uuid")
    return sa.Column("tenant_id", sa.Uuid, primary_key=True, server_default=default)


def _key(name: str, kind: sa.types.TypeEngine) -> sa.Column:
    return sa.Column(name, kind, primary_key=True)


def _must(name: str, kind: sa.types.TypeEngine, default: str | None = None) -> sa.Column:
    text = None if default is None else sa.text(default)
    return sa.Column(name, kind, nullable=False, server_default=text)


def _time(name: str, *, nullable: bool = True) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _jobs() -> None:
    op.create_table(
        "job",
        _tenant(),
        _key("job_id", sa.Uuid),
        _must("request_id", sa.Uuid),
        _must("origin", sa.Text),
        *(_must(name, sa.Text) for name in ("kind", "period", "effort")),
        _must("horizon", sa.Integer),
        _must("cutoff_dates", postgresql.ARRAY(sa.Date)),
        _must("state", sa.Text),
        _must("phase", sa.Text),
        *(_must(name, sa.Integer, "0") for name in ("done_shards", "total_shards")),
        _must("series", sa.BigInteger, "0"),
        sa.Column("holder", sa.Uuid),
        _time("lease_expire_time"),
        _must("attempts", sa.Integer, "0"),
        *(sa.Column(name, sa.Text) for name in ("error_reason", "error_message", "model")),
        sa.Column("cutoff_date", sa.Date),
        _time("create_time", nullable=False),
        _time("start_time"),
        _time("end_time"),
        sa.UniqueConstraint("tenant_id", "request_id"),
    )
    op.create_index("job_newest", "job", ["tenant_id", sa.text("create_time DESC"), "job_id"])
    # One at a time a tenant, whoever asks at the same moment.
    active = sa.text("state IN ('PENDING', 'RUNNING')")
    op.create_index("job_active", "job", ["tenant_id"], unique=True, postgresql_where=active)
    protect("job", service="forecast", privileges=EVERYTHING)


def _shards() -> None:
    op.create_table(
        "job_input",
        _tenant(),
        _key("job_id", sa.Uuid),
        _key("shard", sa.Integer),
        _key("step", sa.Integer),
        _must("names", sa.LargeBinary),
        _must("panel", sa.LargeBinary),
        postgresql_partition_by="LIST (job_id)",
    )
    # Packed already.
    for column in ("names", "panel"):
        op.execute(f"ALTER TABLE job_input ALTER COLUMN {column} SET STORAGE EXTERNAL")
    op.create_table(
        "job_shard",
        _tenant(),
        _key("job_id", sa.Uuid),
        _key("shard", sa.Integer),
        _key("step", sa.Integer),
        sa.Column("holder", sa.Uuid),
        _time("lease_expire_time"),
        _must("attempts", sa.Integer, "0"),
        _must("done", sa.Boolean, "false"),
        sa.Column("figures", sa.LargeBinary),
    )
    protect("job_input", service="forecast", privileges=READ_AND_ADD)
    protect("job_shard", service="forecast", privileges=EVERYTHING)


def _series() -> None:
    op.create_table(
        "forecast_series",
        _tenant(),
        _key("run_id", sa.Uuid),
        # Sorted byte by byte: store and SKU are ASCII, and pages must not depend on a locale.
        _key("store", sa.Text(collation="C")),
        _key("sku", sa.Text(collation="C")),
        _must("product", sa.Text),
        _must("horizon_mean_units", sa.Double),
        *(_must(name, postgresql.ARRAY(sa.REAL)) for name in ("mean", "p10", "p50", "p90")),
        _must("tier", sa.Text),
        _must("shard", sa.Integer),
        sa.Column("state", sa.LargeBinary),
        postgresql_partition_by="LIST (run_id)",
    )
    best = ["tenant_id", "run_id", sa.text("horizon_mean_units DESC"), "store", "sku"]
    op.create_index("forecast_series_best_sellers", "forecast_series", best)
    protect("forecast_series", service="forecast", privileges=READ_AND_ADD)
    op.create_table(
        "run_state",
        _tenant(),
        _key("run_id", sa.Uuid),
        _key("shard", sa.Integer),
        _must("state", sa.LargeBinary),
    )
    protect("run_state", service="forecast", privileges=READ_ADD_DROP)
    for column in (
        _must("period", sa.Text, "'D'"),
        sa.Column("effort", sa.Text),
        # False for what an older version of the service stored in its own table.
        _must("partitioned", sa.Boolean, "false"),
    ):
        op.add_column("forecast_run", column)


def _scores() -> None:
    op.create_table(
        "job_score",
        _tenant(),
        _key("job_id", sa.Uuid),
        _key("cutoff_date", sa.Date),
        _key("segment", sa.Text),
        _must("series", sa.BigInteger),
        *(_must(name, sa.Double) for name in ("rmsse", "mase", "wmape", "spl", "coverage", "bias")),
    )
    protect("job_score", service="forecast", privileges=READ_ADD_DROP)


def _turns() -> None:
    op.create_table(
        "job_schedule",
        _tenant(),
        _must("enabled", sa.Boolean),
        _must("start_minute", sa.Integer),
        *(_must(name, sa.Text) for name in ("period", "effort")),
        _must("horizon", sa.Integer),
    )
    protect("job_schedule", service="forecast", privileges=EVERYTHING)
    # The one table in which a process sees every tenant: that there is one, and when to look at it.
    # What there is to do stands in tables of the tenant's own.
    op.create_table("job_turn", _tenant(), _time("wake_time", nullable=False), _time("night_time"))
    op.create_index("job_turn_wake", "job_turn", ["wake_time"])
    protect("job_turn", service="forecast", privileges=EVERYTHING)
    op.execute("CREATE POLICY every_tenant ON job_turn FOR SELECT USING (true)")


def _partitions() -> None:
    op.create_table(
        "forecast_partition",
        _tenant(),
        _key("parent", sa.Text),
        _key("key", sa.Uuid),
    )
    protect("forecast_partition", service="forecast", privileges="SELECT")
    for statement in (ADD_PARTITION, DROP_PARTITION, FIRST_SALES):
        op.execute(statement)
    for function in ("add", "drop"):
        signature = f"forecast_{function}_partition(text, uuid)"
        op.execute(f"REVOKE EXECUTE ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO forecast_app")
    op.execute(
        "CREATE TRIGGER first_sales AFTER INSERT ON sales_import "
        "FOR EACH STATEMENT EXECUTE FUNCTION forecast_first_sales()"
    )


def _move() -> None:
    """Puts what the last runs of each tenant found where it is read from now on.

    The old table stays until the next version: instances of this one's predecessor read it.
    """
    for table in ("forecast_run", "sales_import"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    connection = op.get_bind()
    tenants = connection.execute(sa.text("SELECT DISTINCT tenant_id FROM sales_import")).all()
    runs = connection.execute(sa.text(OLD_RUNS)).all()
    setting = sa.text("SELECT set_config('hemline.tenant_id', :tenant, true)")
    for (tenant,) in tenants:
        connection.execute(setting, {"tenant": str(tenant)})
        connection.execute(sa.text("INSERT INTO job_turn (wake_time) VALUES (now())"))
    for tenant, run, number in runs:
        names = {"tenant": tenant, "run": run, "number": number}
        connection.execute(setting, {"tenant": str(tenant)})
        add = sa.text("SELECT forecast_add_partition('forecast_series', :run)")
        connection.execute(add, {"run": run})
        connection.execute(sa.text(MOVE_RUN), names)
        moved = sa.text("UPDATE forecast_run SET partitioned = true WHERE run_id = :run")
        connection.execute(moved, {"run": run})
    connection.execute(setting, {"tenant": ""})
    for table in ("forecast_run", "sales_import"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
