"""The statements of an import of lines that have a key: staged, compared, merged.

`staged` holds the lines of one import in order, `incoming` the first line of each key.
"""

from dataclasses import dataclass
from string import Template

from sqlalchemy import TextClause, text

from services.forecast.domain import facts, plans


@dataclass(frozen=True, slots=True)
class Target:
    """A table, and the lines that go there."""

    table: str
    key: dict[str, str]  # Columns that tell one line from another, with their types.
    values: dict[str, str]  # The others.
    most_lines: int
    versioned: bool  # Whether what was known before stays, with the time it became known.

    @property
    def columns(self) -> dict[str, str]:
        return self.key | self.values


TEXT = 'text COLLATE "C"'
PROMOTIONS = Target(
    "promotion",
    key=dict.fromkeys(("promotion", "store", "scope", "target"), TEXT),
    values={
        "start_date": "date",
        "end_date": "date",
        "kind": TEXT,
        "discount_share": "double precision",
        "price_micros": "bigint",
        "cancelled": "boolean",
    },
    most_lines=plans.MOST_PROMOTIONS,
    versioned=True,
)
CALENDAR = Target(
    "calendar_event",
    key={"event": TEXT, "store": TEXT, "start_date": "date"},
    values={"end_date": "date", "closed": "boolean", "cancelled": "boolean"},
    most_lines=plans.MOST_EVENTS,
    versioned=True,
)
ATTRIBUTES = Target(
    "attribute",
    key=dict.fromkeys(("subject", "code", "attribute"), TEXT),
    values={"value": TEXT},
    most_lines=facts.MOST_VALUES,
    versioned=False,
)
STOCK_DAYS = Target(
    "stock_day",
    key={"store": TEXT, "sku": TEXT, "stock_date": "date"},
    values={"on_hand_units": "bigint"},
    most_lines=facts.MOST_STOCK_LINES,
    versioned=False,
)

STAGE = Template("""
CREATE TEMPORARY TABLE staged (ordinal bigint, "row" bigint, $typed) ON COMMIT DROP
""")
PREPARE = Template("""
CREATE TEMPORARY TABLE incoming ON COMMIT DROP AS
SELECT DISTINCT ON ($key) * FROM staged ORDER BY $key, ordinal
""")
# Lines that say something else of a key than its first line does.
TORN = Template("""
SELECT i."row", count(*) OVER () AS total, $differing AS field
FROM staged i JOIN incoming t USING ($key) WHERE $differ ORDER BY i.ordinal LIMIT :most
""")
# Lines that say something else than what is known of the same moment.
CONTRADICTING = Template("""
SELECT i."row", count(*) OVER () AS total, $differing AS field
FROM incoming i JOIN $table t USING ($key)
WHERE t.known_time = :known_time AND $differ ORDER BY i.ordinal LIMIT :most
""")
# Lines that call something off that was not known by then.
UNFOUNDED = Template("""
SELECT i."row", count(*) OVER () AS total, 'cancelled' AS field FROM incoming i
WHERE i.cancelled AND NOT EXISTS (
    SELECT FROM $table t WHERE $same AND t.known_time <= :known_time
) ORDER BY i.ordinal LIMIT :most
""")
ADD_VERSIONS = Template("""
WITH told AS (
    SELECT i.*, t.known_time IS NULL AS fresh FROM incoming i LEFT JOIN LATERAL (
        SELECT * FROM $table t WHERE $same AND t.known_time <= :known_time
        ORDER BY t.known_time DESC LIMIT 1
    ) t ON true
    WHERE t.known_time IS NULL OR $differ
), added AS (
    INSERT INTO $table ($columns, known_time) SELECT $columns, :known_time FROM told ORDER BY $key
)
SELECT count(*) FILTER (WHERE fresh), count(*) FILTER (WHERE NOT fresh) FROM told
""")
# A row that this statement has made has never been locked or replaced by any: its xmax is 0.
REPLACE = Template("""
WITH merged AS (
    INSERT INTO $table AS t ($columns) SELECT $columns FROM incoming i ORDER BY $key
    ON CONFLICT (tenant_id, $key) DO UPDATE SET $replaced WHERE $replaces
    RETURNING xmax = 0 AS fresh
)
SELECT count(*) FILTER (WHERE fresh), count(*) FILTER (WHERE NOT fresh) FROM merged
""")


def filled(template: Template, target: Target) -> TextClause:
    """The statement of ``target``. Nothing but the names above ever gets into one."""
    cases = (f"WHEN i.{name} IS DISTINCT FROM t.{name} THEN '{name}'" for name in target.values)
    return text(
        template.substitute(
            table=target.table,
            key=", ".join(target.key),
            columns=", ".join(target.columns),
            typed=", ".join(f"{name} {kind}" for name, kind in target.columns.items()),
            same=" AND ".join(f"t.{name} = i.{name}" for name in target.key),
            differ=_differ(target, "i"),
            differing=f"CASE {' '.join(cases)} END",
            replaced=", ".join(f"{name} = excluded.{name}" for name in target.values),
            replaces=_differ(target, "excluded"),
        )
    )


def _differ(target: Target, other: str) -> str:
    left, right = (", ".join(f"{side}.{name}" for name in target.values) for side in ("t", other))
    return f"({left}) IS DISTINCT FROM ({right})"
