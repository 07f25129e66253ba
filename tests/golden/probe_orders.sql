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
FROM 's3://stage/staging/probe-1-manifest.json'
IAM_ROLE 'arn:aws:iam::000000000000:role/copy'
FORMAT AS PARQUET
MANIFEST
STATUPDATE OFF

-- check_count
SELECT 1 / (CASE WHEN COUNT(*) = 7 THEN 1 ELSE 0 END) AS complete
FROM "tidemark_stage"

-- create_probe
CREATE TEMP TABLE "tidemark_probe" (LIKE "app"."orders")

-- try_rows
INSERT INTO "tidemark_probe" ("id", "status", "updated_at", "_batch_id", "_read_at", "_loaded_at")
SELECT "id", "status", "updated_at", "_batch_id", "_read_at", "_loaded_at"
FROM "tidemark_stage"

