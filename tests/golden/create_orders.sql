-- create_table
CREATE TABLE IF NOT EXISTS "app"."orders" (
    "id" BIGINT NOT NULL,
    "status" VARCHAR(40),
    "updated_at" TIMESTAMP,
    "_batch_id" VARCHAR(256) NOT NULL,
    "_read_at" TIMESTAMP NOT NULL,
    "_loaded_at" TIMESTAMP NOT NULL DEFAULT SYSDATE,
    PRIMARY KEY ("id")
)
DISTSTYLE KEY DISTKEY ("id")
SORTKEY ("updated_at")

-- create_ledger
CREATE TABLE IF NOT EXISTS "app"."_tidemark_ledger__orders" (
    batch_id VARCHAR(256) NOT NULL,
    kind VARCHAR(16) NOT NULL,
    read_from TIMESTAMP NOT NULL,
    read_to TIMESTAMP NOT NULL,
    low TIMESTAMP,
    high TIMESTAMP NOT NULL,
    as_of TIMESTAMP,
    rows_staged BIGINT NOT NULL,
    rows_merged BIGINT NOT NULL,
    rows_stale BIGINT NOT NULL,
    rows_set_aside BIGINT NOT NULL,
    checksum VARCHAR(64) NOT NULL,
    loaded_at TIMESTAMP NOT NULL,
    statement_id VARCHAR(64) NOT NULL,
    PRIMARY KEY (batch_id)
)

-- create_tombstones
CREATE TABLE IF NOT EXISTS "app"."_tidemark_tombstones__orders__a5614527" (
    "id" BIGINT NOT NULL,
    "_read_at" TIMESTAMP NOT NULL
)

