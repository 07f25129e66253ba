-- Merge one batch into one warehouse: the newest version of each row wins, and the ledger says so.
--
-- Sent as one BatchExecuteStatement, which Redshift runs as one transaction, or to PostgreSQL between
-- BEGIN and COMMIT: a reader sees the table before the batch or after it. Repeating it, or loading
-- an old batch late, changes nothing that is newer. TRUNCATE stays out of this file: in Redshift it
-- commits on the spot.
{%- macro same_key(left, right) -%}
{% for column in key %}{{ "" if loop.first else " AND " }}
{{- left }}.{{ column | identifier }} = {{ right }}.{{ column | identifier }}
{%- endfor %}
{%- endmacro %}
{% macro time_of(rows, which) -%}
CASE {{ rows }}."_batch_id"{% for batch in batches %} WHEN {{ batch.batch_id | literal }} THEN CAST({{ batch[which] | literal }} AS TIMESTAMP){% endfor %} END
{%- endmacro %}
{%- macro now() -%}
{{ "GETDATE()" if dialect == "redshift" else "(CLOCK_TIMESTAMP() AT TIME ZONE 'UTC')" }}
{%- endmacro %}
{% set target = schema | identifier ~ "." ~ table | identifier %}
{% set ledger = schema | identifier ~ "." ~ ledger_table | identifier %}
{% set tombstones = schema | identifier ~ "." ~ tombstone_table | identifier %}
{% set stage = "tidemark_stage" | identifier %}
{% set fresh = "tidemark_fresh" | identifier %}

-- name: lock_ledger
-- First of all: whoever loads, swaps or repairs this table takes this lock, so that the guard below
-- reads the truth whatever the isolation level.
{% if dialect == "redshift" %}
LOCK TABLE {{ ledger }};
{% else %}
LOCK TABLE {{ ledger }} IN EXCLUSIVE MODE;
{% endif %}

-- name: create_stage
-- COPY matches columns by position: the file's columns, in the file's order.
CREATE TEMP TABLE {{ stage }} (
{% for column in columns %}
    {{ column.name | identifier }} {{ column.redshift | staged_type }}{{ "" if loop.last else "," }}
{% endfor %}
);

-- name: copy_batch
{% if manifest_url and dialect == "redshift" %}
COPY {{ stage }}
FROM {{ manifest_url | literal }}
IAM_ROLE {{ iam_role | literal }}
FORMAT AS PARQUET
MANIFEST;
{% elif rows %}
COPY {{ stage }} FROM STDIN (FORMAT csv);
{% endif %}

-- name: check_count
-- Divides by zero, and so rolls back, unless the stage holds what the manifest promised.
SELECT 1 / (CASE WHEN COUNT(*) = {{ rows | literal }} THEN 1 ELSE 0 END) AS complete
FROM {{ stage }};

-- name: drop_deleted
-- What repair deleted does not rise again from a batch that had begun to be read by then.
DELETE FROM {{ stage }}
USING {{ tombstones }}
WHERE {{ same_key(tombstones, stage) }}
  AND {{ tombstones }}."read_at" >= {{ time_of(stage, "read_from") }};

-- name: keep_newest
-- One row per key, the greatest (cursor, read_at); nothing of a batch that the target holds: that
-- its ledger lists, or a base covers.
CREATE TEMP TABLE {{ fresh }} AS
SELECT {{ names | identifiers }}
FROM (
    SELECT {{ names | identifiers }},
           ROW_NUMBER() OVER (
               PARTITION BY {{ key | identifiers }}
               ORDER BY {{ cursor | identifier }} DESC NULLS LAST, "_read_at" DESC
           ) AS tidemark_rank
    FROM {{ stage }}
    WHERE "_batch_id" NOT IN (
        SELECT batch_id FROM {{ ledger }} WHERE batch_id IN ({{ batch_ids | literals }})
    )
      AND COALESCE((SELECT MAX(read_from) FROM {{ ledger }} WHERE kind = 'base'), '0001-01-01')
          < {{ time_of(stage, "read_to") }}
) AS ranked
WHERE tidemark_rank = 1;

-- name: count_fresh
-- PostgreSQL knows nothing of a new temporary table, and would plan the merge for a small one.
{% if dialect == "postgres" %}
ANALYZE {{ fresh }};
{% endif %}

-- name: drop_stale
-- An older version of a row never overwrites a newer one. A zero date arrives as NULL, and is older
-- than any time. Rows that are only ever added have one version: they replace themselves (rule 13).
{% if not only_added %}
DELETE FROM {{ fresh }}
USING {{ target }}
WHERE {{ same_key(target, fresh) }}
  AND ({{ target }}.{{ cursor | identifier }} > {{ fresh }}.{{ cursor | identifier }}
       OR ({{ target }}.{{ cursor | identifier }} IS NOT NULL
           AND {{ fresh }}.{{ cursor | identifier }} IS NULL)
       OR ((({{ target }}.{{ cursor | identifier }} IS NULL
             AND {{ fresh }}.{{ cursor | identifier }} IS NULL)
            OR {{ target }}.{{ cursor | identifier }} = {{ fresh }}.{{ cursor | identifier }})
           AND {{ target }}."_read_at" >= {{ fresh }}."_read_at"));
{% endif %}

-- name: delete_replaced
DELETE FROM {{ target }}
USING {{ fresh }}
WHERE {{ same_key(target, fresh) }};

-- name: insert_rows
INSERT INTO {{ target }} ({{ names | identifiers }}, "_loaded_at")
SELECT {{ columns | from_stage }}, {{ now() }}
FROM {{ fresh }};

-- name: enter_ledger
-- One row for each batch, with the rows that came from it.
INSERT INTO {{ ledger }}
    (batch_id, kind, read_from, read_to, low, high, as_of, rows_staged, rows_merged, rows_stale,
     rows_set_aside, checksum, loaded_at, statement_id)
SELECT batch_id, kind, read_from, read_to, low, high, as_of, rows_staged, rows_merged,
       rows_staged - rows_merged, rows_set_aside, checksum, {{ now() }}, {{ token | literal }}
FROM (
{% for batch in batches %}
    {{ "" if loop.first else "UNION ALL " }}SELECT
        CAST({{ batch.batch_id | literal }} AS VARCHAR(256)) AS batch_id,
        CAST({{ batch.plan.kind | literal }} AS VARCHAR(16)) AS kind,
        CAST({{ batch.read_from | literal }} AS TIMESTAMP) AS read_from,
        CAST({{ batch.read_to | literal }} AS TIMESTAMP) AS read_to,
        CAST({{ batch.plan.low | literal }} AS TIMESTAMP) AS low,
        CAST({{ batch.plan.high | literal }} AS TIMESTAMP) AS high,
        CAST({{ (batch.plan.high if batch.plan.kind == "increment" else none) | literal }} AS TIMESTAMP) AS as_of,
        CAST({{ batch.rows | literal }} AS BIGINT) AS rows_staged,
        (SELECT COUNT(*) FROM {{ fresh }} WHERE "_batch_id" = {{ batch.batch_id | literal }}) AS rows_merged,
        CAST({{ batch.rows_set_aside | literal }} AS BIGINT) AS rows_set_aside,
        CAST({{ batch.checksum | literal }} AS VARCHAR(64)) AS checksum
{% endfor %}
) AS applied
WHERE batch_id NOT IN (
    SELECT batch_id FROM {{ ledger }} WHERE batch_id IN ({{ batch_ids | literals }})
);
