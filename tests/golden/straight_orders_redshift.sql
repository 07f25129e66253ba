-- lock_ledger
LOCK TABLE "app"."_tidemark_ledger__orders"

-- check_room
SELECT 1 / (CASE WHEN COUNT(*) = 0 THEN 1 ELSE 0 END) AS room
FROM (
    SELECT 1 AS found FROM "app"."_tidemark_ledger__orders"
    WHERE batch_id = 'inc-e1-20260301T120000000000-20260301T123000000000'
       OR (kind = 'base' AND read_from >= CAST('2026-03-01 12:30:00.000000' AS TIMESTAMP))
    UNION ALL
    SELECT 1 AS found FROM "app"."_tidemark_tombstones__orders__a5614527"
    WHERE "_read_at" >= CAST('2026-03-01 12:29:59.000000' AS TIMESTAMP)
    UNION ALL
    SELECT 1 AS found FROM "app"."orders"
    WHERE "id" < 9 AND "id" >= 1
) AS taken

-- copy_batch
COPY "app"."orders" ("id", "status", "updated_at", "_batch_id", "_read_at")
FROM 's3://stage/staging/shop.orders/2026/03/01/12/inc-e1-20260301T120000000000-20260301T123000000000/manifest.json'
IAM_ROLE 'arn:aws:iam::000000000000:role/copy'
FORMAT AS PARQUET
MANIFEST
STATUPDATE OFF

-- check_count
SELECT 1 / (CASE WHEN COUNT(*) = 7 THEN 1 ELSE 0 END) AS complete
FROM "app"."orders"
WHERE "id" < 9 AND "id" >= 1

-- enter_ledger
INSERT INTO "app"."_tidemark_ledger__orders"
    (batch_id, kind, read_from, read_to, low, high, as_of, rows_staged, rows_merged, rows_stale,
     rows_set_aside, checksum, loaded_at, statement_id)
SELECT 'inc-e1-20260301T120000000000-20260301T123000000000', 'increment',
       CAST('2026-03-01 12:29:59.000000' AS TIMESTAMP), CAST('2026-03-01 12:30:00.000000' AS TIMESTAMP),
       CAST('2026-03-01 12:00:00.000000' AS TIMESTAMP), CAST('2026-03-01 12:30:00.000000' AS TIMESTAMP),
       CAST('2026-03-01 12:30:00.000000' AS TIMESTAMP),
       7, 7, 0,
       0, '60e05bd1b195af2f94112fa7197a5c88289058840ce7c6df9693756bc6250f55', GETDATE(), 'token'

