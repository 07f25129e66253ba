-- lock_ledger
LOCK TABLE "app"."_tidemark_ledger__app_events" IN EXCLUSIVE MODE

-- create_stage
CREATE TEMP TABLE "tidemark_stage" (
    "id" VARCHAR(64),
    "event_time" TIMESTAMP,
    "event_name" VARCHAR(1024),
    "app_id" VARCHAR(256),
    "user_id" VARCHAR(256),
    "device_id" VARCHAR(256),
    "event_data" BYTEA,
    "created_at" TIMESTAMP,
    "_batch_id" VARCHAR(256),
    "_read_at" TIMESTAMP,
    "_loaded_at" TIMESTAMP NOT NULL DEFAULT (STATEMENT_TIMESTAMP() AT TIME ZONE 'UTC')
)

-- copy_batch
COPY "tidemark_stage" ("id", "event_time", "event_name", "app_id", "user_id", "device_id", "event_data", "created_at", "_batch_id", "_read_at") FROM STDIN (FORMAT csv)

-- check_count
SELECT 1 / (CASE WHEN COUNT(*) = 7 THEN 1 ELSE 0 END) AS complete
FROM "tidemark_stage"

-- drop_held
DELETE FROM "tidemark_stage"
WHERE "_batch_id" IN (
    SELECT batch_id FROM "app"."_tidemark_ledger__app_events" WHERE batch_id IN ('drain-run_acba2551-c0-start-20260301T123000000000')
    UNION ALL SELECT CAST('drain-run_acba2551-c0-start-20260301T123000000000' AS VARCHAR(256)) FROM "app"."_tidemark_ledger__app_events"
    WHERE kind = 'base' AND read_from >= CAST('2026-03-01 12:30:00.000000' AS TIMESTAMP)
)

-- drop_deleted
DELETE FROM "tidemark_stage"
USING "app"."_tidemark_tombstones__app_events__a5614527"
WHERE "app"."_tidemark_tombstones__app_events__a5614527"."id" = "tidemark_stage"."id"
  AND "app"."_tidemark_tombstones__app_events__a5614527"."_read_at" >= CASE "tidemark_stage"."_batch_id" WHEN 'drain-run_acba2551-c0-start-20260301T123000000000' THEN CAST('2026-03-01 12:29:59.000000' AS TIMESTAMP) END

-- drop_forgotten_1
DELETE FROM "tidemark_stage"
USING "app"."_tidemark_forgotten__app_events"
WHERE "app"."_tidemark_forgotten__app_events".person_column = 'user_id'
  AND "app"."_tidemark_forgotten__app_events".digest = ENCODE(SHA256(CONVERT_TO("tidemark_stage"."user_id", 'UTF8')), 'hex')
  AND "app"."_tidemark_forgotten__app_events".came_until >= "tidemark_stage"."created_at"

-- drop_forgotten_2
DELETE FROM "tidemark_stage"
USING "app"."_tidemark_forgotten__app_events"
WHERE "app"."_tidemark_forgotten__app_events".person_column = 'device_id'
  AND "app"."_tidemark_forgotten__app_events".digest = ENCODE(SHA256(CONVERT_TO("tidemark_stage"."device_id", 'UTF8')), 'hex')
  AND "app"."_tidemark_forgotten__app_events".came_until >= "tidemark_stage"."created_at"

-- find_repeated
CREATE TEMP TABLE "tidemark_repeated" AS
SELECT "id"
FROM "tidemark_stage"
GROUP BY "id"
HAVING COUNT(*) > 1

-- rank_repeated
CREATE TEMP TABLE "tidemark_newest" AS
SELECT "id", "event_time", "event_name", "app_id", "user_id", "device_id", "event_data", "created_at", "_batch_id", "_read_at"
FROM (
    SELECT "id", "event_time", "event_name", "app_id", "user_id", "device_id", "event_data", "created_at", "_batch_id", "_read_at",
           ROW_NUMBER() OVER (
               PARTITION BY "id"
               ORDER BY "created_at" DESC NULLS LAST, "_read_at" DESC
           ) AS tidemark_rank
    FROM "tidemark_stage"
    JOIN "tidemark_repeated" USING ("id")
) AS ranked
WHERE tidemark_rank = 1

-- drop_repeated
DELETE FROM "tidemark_stage"
USING "tidemark_repeated"
WHERE "tidemark_repeated"."id" = "tidemark_stage"."id"

-- keep_newest
INSERT INTO "tidemark_stage" ("id", "event_time", "event_name", "app_id", "user_id", "device_id", "event_data", "created_at", "_batch_id", "_read_at")
SELECT "id", "event_time", "event_name", "app_id", "user_id", "device_id", "event_data", "created_at", "_batch_id", "_read_at" FROM "tidemark_newest"

-- delete_replaced
DELETE FROM "app"."app_events"
USING "tidemark_stage"
WHERE "app"."app_events"."id" = "tidemark_stage"."id"
  AND ("tidemark_stage"."created_at" > "app"."app_events"."created_at"
       OR ("tidemark_stage"."created_at" = "app"."app_events"."created_at"
           AND "tidemark_stage"."_read_at" > "app"."app_events"."_read_at")
       OR ("app"."app_events"."created_at" IS NULL
           AND ("tidemark_stage"."created_at" IS NOT NULL
                OR "tidemark_stage"."_read_at" > "app"."app_events"."_read_at")))

-- drop_stale
DELETE FROM "tidemark_stage"
USING "app"."app_events"
WHERE "app"."app_events"."id" = "tidemark_stage"."id"

-- insert_rows
INSERT INTO "app"."app_events" ("id", "event_time", "event_name", "app_id", "user_id", "device_id", "event_data", "created_at", "_batch_id", "_read_at", "_loaded_at")
SELECT "id", "event_time", "event_name", "app_id", "user_id", "device_id", CAST(CONVERT_FROM("event_data", 'UTF8') AS JSONB), "created_at", "_batch_id", "_read_at", "_loaded_at"
FROM "tidemark_stage"

-- enter_ledger
INSERT INTO "app"."_tidemark_ledger__app_events"
    (batch_id, kind, read_from, read_to, low, high, as_of, rows_staged, rows_merged, rows_stale,
     rows_set_aside, checksum, loaded_at, statement_id)
SELECT batch_id, kind, read_from, read_to, low, high, as_of, rows_staged, COALESCE(rows_merged, 0),
       rows_staged - COALESCE(rows_merged, 0), rows_set_aside, checksum, (SELECT CLOCK_TIMESTAMP() AT TIME ZONE 'UTC'), 'token'
FROM (
    SELECT
        CAST('drain-run_acba2551-c0-start-20260301T123000000000' AS VARCHAR(256)) AS batch_id,
        CAST('drain' AS VARCHAR(16)) AS kind,
        CAST('2026-03-01 12:29:59.000000' AS TIMESTAMP) AS read_from,
        CAST('2026-03-01 12:30:00.000000' AS TIMESTAMP) AS read_to,
        CAST(NULL AS TIMESTAMP) AS low,
        CAST('2026-03-01 12:30:00.000000' AS TIMESTAMP) AS high,
        CAST(NULL AS TIMESTAMP) AS as_of,
        CAST(7 AS BIGINT) AS rows_staged,
        CAST(0 AS BIGINT) AS rows_set_aside,
        CAST('60e05bd1b195af2f94112fa7197a5c88289058840ce7c6df9693756bc6250f55' AS VARCHAR(64)) AS checksum
) AS applied
LEFT JOIN (
    SELECT CAST('drain-run_acba2551-c0-start-20260301T123000000000' AS VARCHAR(256)) AS merged_id, COUNT(*) AS rows_merged
    FROM "tidemark_stage"
) AS merged ON merged_id = batch_id
WHERE batch_id NOT IN (
    SELECT batch_id FROM "app"."_tidemark_ledger__app_events" WHERE batch_id IN ('drain-run_acba2551-c0-start-20260301T123000000000')
)

