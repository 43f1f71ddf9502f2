"""The statements of `store_imports`.

`staged` holds the lines of one import, each with its place in the stream. Wherever rows that others
may want are locked or inserted, it is in the order of their keys, so that two writers queue up and
never hold what the other needs.
"""

from sqlalchemy import text

STAGE = text("""
CREATE TEMPORARY TABLE staged (
  position bigint NOT NULL,
  row bigint NOT NULL,
  store text COLLATE "C" NOT NULL,
  sku text COLLATE "C" NOT NULL,
  on_hand_units bigint NOT NULL,
  style text COLLATE "C" NOT NULL,
  colour text COLLATE "C" NOT NULL,
  size text COLLATE "C" NOT NULL,
  category text COLLATE "C" NOT NULL
) ON COMMIT DROP
""")

ADD = text("""
INSERT INTO staged
SELECT * FROM unnest(
  CAST(:position AS bigint[]), CAST(:row AS bigint[]), CAST(:store AS text[]),
  CAST(:sku AS text[]), CAST(:on_hand_units AS bigint[]), CAST(:style AS text[]),
  CAST(:colour AS text[]), CAST(:size AS text[]), CAST(:category AS text[])
)
""")

# A temporary table has no statistics of its own until asked, and a guess would cost the joins dear.
ANALYZE = text("ANALYZE staged")

ONE_AT_A_TIME = text("""
SELECT pg_advisory_xact_lock(
  hashtextextended('inventory.import ' || current_setting('hemline.tenant_id'), 0)
)
""")

# A line has at most one breach of each kind. `described` are the lines of new SKUs that say enough
# to add them.
BREACHES = text("""
WITH line AS (
  SELECT staged.*, known.sku IS NOT NULL AS is_known, known.style AS known_style,
    known.colour AS known_colour, known.size AS known_size,
    first_value(staged.row) OVER counted AS counted_row, row_number() OVER counted AS counted_times
  FROM staged LEFT JOIN sku known ON known.sku = staged.sku
  WINDOW counted AS (PARTITION BY staged.store, staged.sku ORDER BY staged.position)
), described AS (
  SELECT line.*,
    first_value(row) OVER of_sku AS sku_row,
    first_value((style, colour, size)) OVER of_sku AS sku_size,
    first_value(row) OVER of_size AS size_row,
    first_value(sku) OVER of_size AS size_sku
  FROM line
  WHERE NOT is_known AND style <> '' AND colour <> '' AND size <> ''
  WINDOW of_sku AS (PARTITION BY sku ORDER BY position),
    of_size AS (PARTITION BY style, colour, size ORDER BY position)
), breach AS (
  SELECT position, row, 'sku' AS field, 'counted_twice' AS rule, counted_row::text AS other
  FROM line WHERE counted_times > 1
  UNION ALL
  SELECT position, row,
    CASE WHEN style = '' THEN 'style' WHEN colour = '' THEN 'colour' ELSE 'size' END,
    'new_sku_undescribed', ''
  FROM line WHERE NOT is_known AND (style = '' OR colour = '' OR size = '')
  UNION ALL
  SELECT position, row,
    CASE WHEN style NOT IN ('', known_style) THEN 'style'
      WHEN colour NOT IN ('', known_colour) THEN 'colour' ELSE 'size' END,
    'known_sku_differs',
    CASE WHEN style NOT IN ('', known_style) THEN known_style
      WHEN colour NOT IN ('', known_colour) THEN known_colour ELSE known_size END
  FROM line
  WHERE style NOT IN ('', known_style) OR colour NOT IN ('', known_colour)
    OR size NOT IN ('', known_size)
  UNION ALL
  SELECT position, row, 'sku', 'new_sku_differs', sku_row::text
  FROM described WHERE (style, colour, size) IS DISTINCT FROM sku_size
  UNION ALL
  SELECT position, row, 'size', 'size_twice', size_row::text
  FROM described WHERE sku <> size_sku
  UNION ALL
  SELECT described.position, row, 'size', 'size_taken', taken.sku
  FROM described JOIN sku taken USING (style, colour, size)
)
SELECT row, field, rule, other, (SELECT count(DISTINCT position) FROM breach) AS rejected
FROM breach ORDER BY position, field, rule LIMIT :most
""")

ADD_STORES = text("""
INSERT INTO store (store, display_name, time_zone, create_time)
SELECT DISTINCT store, store, 'UTC', CAST(:now AS timestamptz) FROM staged
WHERE NOT EXISTS (SELECT FROM store known WHERE known.store = staged.store)
ORDER BY store
""")

# The category of a new style is the first one that its lines give.
ADD_STYLES = text("""
INSERT INTO style (style, display_name, category, create_time)
SELECT style, style,
  coalesce((array_agg(category ORDER BY position) FILTER (WHERE category <> ''))[1], ''),
  CAST(:now AS timestamptz)
FROM staged
WHERE NOT EXISTS (SELECT FROM sku known WHERE known.sku = staged.sku)
  AND NOT EXISTS (SELECT FROM style known WHERE known.style = staged.style)
GROUP BY style ORDER BY style
""")

# New choices follow those that the style has, in the order in which the lines first name them.
ADD_CHOICES = text("""
INSERT INTO choice (style, colour, position)
SELECT style, colour,
  coalesce((SELECT max(position) + 1 FROM choice known WHERE known.style = fresh.style), 0)
    + row_number() OVER (PARTITION BY style ORDER BY first_position) - 1
FROM (
  SELECT style, colour, min(position) AS first_position
  FROM staged
  WHERE NOT EXISTS (SELECT FROM sku known WHERE known.sku = staged.sku)
    AND NOT EXISTS (
      SELECT FROM choice known WHERE known.style = staged.style AND known.colour = staged.colour
    )
  GROUP BY style, colour
) fresh
ORDER BY style, colour
""")

# So do new sizes.
ADD_SKUS = text("""
INSERT INTO sku (sku, style, colour, size, position)
SELECT sku, style, colour, size,
  coalesce(
    (SELECT max(position) + 1 FROM sku known
     WHERE known.style = fresh.style AND known.colour = fresh.colour), 0
  ) + row_number() OVER (PARTITION BY style, colour ORDER BY first_position) - 1
FROM (
  SELECT sku, style, colour, size, min(position) AS first_position
  FROM staged
  WHERE NOT EXISTS (SELECT FROM sku known WHERE known.sku = staged.sku)
  GROUP BY sku, style, colour, size
) fresh
ORDER BY sku
""")

# Run when the catalogue has grown: a style or a choice above its limit, at its first line.
OVERSIZE = text("""
WITH of_style AS (
  SELECT DISTINCT ON (style) position, row, style
  FROM staged WHERE style <> '' ORDER BY style, position
), of_choice AS (
  SELECT DISTINCT ON (style, colour) position, row, style, colour
  FROM staged WHERE style <> '' AND colour <> '' ORDER BY style, colour, position
), breach AS (
  SELECT position, row, 'colour' AS field, 'too_many_choices' AS rule
  FROM of_style
  WHERE :choices < (SELECT count(*) FROM choice WHERE choice.style = of_style.style)
  UNION ALL
  SELECT position, row, 'size', 'too_many_sizes'
  FROM of_choice
  WHERE :sizes < (
    SELECT count(*) FROM sku WHERE sku.style = of_choice.style AND sku.colour = of_choice.colour
  )
)
SELECT row, field, rule, '' AS other, (SELECT count(DISTINCT position) FROM breach) AS rejected
FROM breach ORDER BY position, field LIMIT :most
""")

# Nothing counted and nothing ever stocked is no level.
MAKE_LEVELS = text("""
INSERT INTO level (store, sku, update_time)
SELECT store, sku, CAST(:now AS timestamptz) FROM staged
WHERE on_hand_units > 0
  AND NOT EXISTS (
    SELECT FROM level known WHERE known.store = staged.store AND known.sku = staged.sku
  )
ORDER BY store, sku
ON CONFLICT DO NOTHING
""")

LOCK_LEVELS = text("""
WITH locked AS (
  SELECT level.on_hand_units FROM staged JOIN level USING (store, sku)
  ORDER BY level.store, level.sku FOR NO KEY UPDATE OF level
)
SELECT count(*) FROM locked
""")

POST = text("""
WITH posted AS (
  INSERT INTO movement (store, sku, sequence, before_units, delta_units, on_hand_units, reason,
    occur_time, occur_nanos, record_time, import_id)
  SELECT store, sku, level.last_sequence + 1, level.on_hand_units,
    staged.on_hand_units - level.on_hand_units, staged.on_hand_units, 'count',
    CAST(:occur_time AS timestamptz), 0, CAST(:now AS timestamptz), CAST(:import_id AS uuid)
  FROM staged JOIN level USING (store, sku)
  WHERE staged.on_hand_units <> level.on_hand_units
  RETURNING store, sku, sequence, on_hand_units
)
UPDATE level SET on_hand_units = posted.on_hand_units, last_sequence = posted.sequence,
  update_time = CAST(:now AS timestamptz)
FROM posted WHERE level.store = posted.store AND level.sku = posted.sku
""")
