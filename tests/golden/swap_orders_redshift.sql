-- lock_ledger
LOCK TABLE "app"."_tidemark_ledger__orders"

-- check_newest
SELECT 1 / (CASE WHEN COUNT(*) = 0 THEN 1 ELSE 0 END) AS newest
FROM "app"."_tidemark_ledger__orders"
WHERE batch_id = 'base-manual_1_19b04f56-c0-start-20260301T123000000000'
   OR (kind = 'base' AND read_from >= '2026-03-01 12:30:08.000000')

-- create_stage
CREATE TEMP TABLE "tidemark_stage" (
    "id" BIGINT,
    "status" VARCHAR(40),
    "updated_at" TIMESTAMP,
    "_batch_id" VARCHAR(256),
    "_read_at" TIMESTAMP,
    "_loaded_at" TIMESTAMP NOT NULL DEFAULT SYSDATE
)
DISTSTYLE KEY DISTKEY ("id")

-- copy_batch
COPY "tidemark_stage" ("id", "status", "updated_at", "_batch_id", "_read_at")
FROM 's3://stage/staging/shop.orders/2026/03/01/12/base-manual_1_19b04f56-c0-start-20260301T123000000000/manifest.json'
IAM_ROLE 'arn:aws:iam::000000000000:role/copy'
FORMAT AS PARQUET
MANIFEST
STATUPDATE OFF

-- check_count
SELECT 1 / (CASE WHEN COUNT(*) = 7 THEN 1 ELSE 0 END) AS complete
FROM "tidemark_stage"

-- drop_deleted
DELETE FROM "tidemark_stage"
USING "app"."_tidemark_tombstones__orders__a5614527"
WHERE "app"."_tidemark_tombstones__orders__a5614527"."id" = "tidemark_stage"."id"
  AND "app"."_tidemark_tombstones__orders__a5614527"."_read_at" >= '2026-03-01 12:30:08.000000'

-- create_new
CREATE TABLE "app"."_tidemark_new__5d6de8ab__base-manual_1_19b04f56-c0-start-20260301T123000000000" (
    "id" BIGINT NOT NULL,
    "status" VARCHAR(40),
    "updated_at" TIMESTAMP,
    "_batch_id" VARCHAR(256) NOT NULL,
    "_read_at" TIMESTAMP NOT NULL,
    "_loaded_at" TIMESTAMP NOT NULL DEFAULT SYSDATE
)
DISTSTYLE KEY DISTKEY ("id")
SORTKEY ("updated_at")

-- fill_new
INSERT INTO "app"."_tidemark_new__5d6de8ab__base-manual_1_19b04f56-c0-start-20260301T123000000000" ("id", "status", "updated_at", "_batch_id", "_read_at", "_loaded_at")
SELECT "id", "status", "updated_at", "_batch_id", "_read_at", "_loaded_at"
FROM (
    SELECT "id", "status", "updated_at", "_batch_id", "_read_at", "_loaded_at",
           ROW_NUMBER() OVER (
               PARTITION BY "id"
               ORDER BY "updated_at" DESC NULLS LAST, "_read_at" DESC
           ) AS tidemark_rank
    FROM "tidemark_stage"
) AS ranked
WHERE tidemark_rank = 1

-- add_key
ALTER TABLE "app"."_tidemark_new__5d6de8ab__base-manual_1_19b04f56-c0-start-20260301T123000000000" ADD PRIMARY KEY ("id")

-- drop_overtaken
DELETE FROM "app"."_tidemark_new__5d6de8ab__base-manual_1_19b04f56-c0-start-20260301T123000000000"
USING "app"."orders"
WHERE "app"."orders"."id" = "app"."_tidemark_new__5d6de8ab__base-manual_1_19b04f56-c0-start-20260301T123000000000"."id"
  AND "app"."orders"."_read_at" > '2026-03-01 12:30:08.000000'
  AND ("app"."orders"."updated_at" > "app"."_tidemark_new__5d6de8ab__base-manual_1_19b04f56-c0-start-20260301T123000000000"."updated_at"
       OR ("app"."orders"."updated_at" = "app"."_tidemark_new__5d6de8ab__base-manual_1_19b04f56-c0-start-20260301T123000000000"."updated_at"
           AND "app"."orders"."_read_at" > "app"."_tidemark_new__5d6de8ab__base-manual_1_19b04f56-c0-start-20260301T123000000000"."_read_at")
       OR ("app"."_tidemark_new__5d6de8ab__base-manual_1_19b04f56-c0-start-20260301T123000000000"."updated_at" IS NULL
           AND ("app"."orders"."updated_at" IS NOT NULL
                OR "app"."orders"."_read_at" > "app"."_tidemark_new__5d6de8ab__base-manual_1_19b04f56-c0-start-20260301T123000000000"."_read_at")))

-- enter_ledger
INSERT INTO "app"."_tidemark_ledger__orders"
    (batch_id, kind, read_from, read_to, low, high, as_of, rows_staged, rows_merged, rows_stale,
     rows_set_aside, checksum, loaded_at, statement_id)
SELECT 'base-manual_1_19b04f56-c0-start-20260301T123000000000', 'base',
       CAST('2026-03-01 12:30:08.000000' AS TIMESTAMP), CAST('2026-03-01 12:30:09.000000' AS TIMESTAMP),
       CAST(NULL AS TIMESTAMP), CAST('2026-03-01 12:30:00.000000' AS TIMESTAMP),
       CAST('2026-03-01 12:30:00.000000' AS TIMESTAMP),
       7, rows_merged, 7 - rows_merged,
       0, '60e05bd1b195af2f94112fa7197a5c88289058840ce7c6df9693756bc6250f55', GETDATE(), 'token'
FROM (
    SELECT COUNT(*) AS rows_merged FROM "app"."_tidemark_new__5d6de8ab__base-manual_1_19b04f56-c0-start-20260301T123000000000"
) AS merged

-- carry_newer
INSERT INTO "app"."_tidemark_new__5d6de8ab__base-manual_1_19b04f56-c0-start-20260301T123000000000" ("id", "status", "updated_at", "_batch_id", "_read_at", "_loaded_at")
SELECT CAST("app"."orders"."id" AS BIGINT), CAST("app"."orders"."status" AS VARCHAR(40)), CAST("app"."orders"."updated_at" AS TIMESTAMP), CAST("app"."orders"."_batch_id" AS VARCHAR(256)), CAST("app"."orders"."_read_at" AS TIMESTAMP), "app"."orders"."_loaded_at"
FROM "app"."orders"
LEFT JOIN "app"."_tidemark_new__5d6de8ab__base-manual_1_19b04f56-c0-start-20260301T123000000000" ON "app"."orders"."id" = "app"."_tidemark_new__5d6de8ab__base-manual_1_19b04f56-c0-start-20260301T123000000000"."id"
WHERE "app"."orders"."_read_at" > '2026-03-01 12:30:08.000000'
  AND "app"."_tidemark_new__5d6de8ab__base-manual_1_19b04f56-c0-start-20260301T123000000000"."id" IS NULL

-- empty_old
DROP TABLE "app"."orders"

-- put_in_place
ALTER TABLE "app"."_tidemark_new__5d6de8ab__base-manual_1_19b04f56-c0-start-20260301T123000000000" RENAME TO "orders"

