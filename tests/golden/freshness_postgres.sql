-- create_table
CREATE TABLE IF NOT EXISTS "public"."_tidemark_freshness" (
    table_name VARCHAR(256) NOT NULL,
    relation VARCHAR(256) NOT NULL,
    as_of TIMESTAMP,
    target_lag_seconds DOUBLE PRECISION NOT NULL,
    max_lag_seconds DOUBLE PRECISION NOT NULL,
    measured_at TIMESTAMP NOT NULL,
    PRIMARY KEY (table_name)
)

-- create_view
CREATE OR REPLACE VIEW "public"."tidemark_freshness" AS
SELECT table_name, relation, as_of, lag_seconds, target_lag_seconds, max_lag_seconds,
       CASE WHEN lag_seconds IS NULL THEN 'unknown'
            WHEN lag_seconds <= target_lag_seconds THEN 'fresh'
            WHEN lag_seconds <= max_lag_seconds THEN 'late'
            ELSE 'stale' END AS freshness,
       'Data as of ' || TO_CHAR(as_of, 'YYYY-MM-DD HH24:MI') || ' UTC' AS data_as_of,
       measured_at
FROM (
    SELECT table_name, relation, as_of, target_lag_seconds, max_lag_seconds, measured_at,
           CAST(EXTRACT(EPOCH FROM (CAST(CLOCK_TIMESTAMP() AT TIME ZONE 'UTC' AS TIMESTAMP) - as_of)) AS BIGINT) AS lag_seconds
    FROM "public"."_tidemark_freshness"
) AS measured

-- forget
DELETE FROM "public"."_tidemark_freshness"

-- publish_1
INSERT INTO "public"."_tidemark_freshness"
    (table_name, relation, as_of, target_lag_seconds, max_lag_seconds, measured_at)
VALUES
    ('shop.orders', 'public.orders', '2026-03-01 12:30:00.000000', 300, 900, '2026-03-01 12:30:00.000000'),
    ('shop.o''hara', 'public.o''hara', NULL, 0.5, 900, '2026-03-01 12:30:00.000000')

-- heartbeat
SELECT last_heartbeat, write_sequence
FROM "public"."_heartbeat"
WHERE node_id = 'tidemark'
