-- Copy one batch straight into its table: no row of it is there, and none of the batch's keys is twice
-- in it, so that nothing is to be compared, and the rows are written once instead of twice.
--
-- That is so for what is only added, and for a table's first batch. Whether it still is so is asked
-- behind the lock; if it is not, the transaction fails before a file is read, and the batch is merged
-- by load_batch.sql.
{% from "merging.sql" import copy_into, lock, now with context %}
{% set target = schema | identifier ~ "." ~ table | identifier %}
{% set ledger = schema | identifier ~ "." ~ ledger_table | identifier %}
{% set tombstones = schema | identifier ~ "." ~ tombstone_table | identifier %}
{% macro in_window() -%}
{% if keys %}
WHERE {{ cursor | identifier }} < {{ keys.high | literal }}
{%- if keys.low is not none %} AND {{ cursor | identifier }} >= {{ keys.low | literal }}{% endif %}
{%- endif %}
{%- endmacro %}

-- name: lock_ledger
-- First of all: whoever loads, swaps or repairs this table takes this lock.
{{ lock(ledger) }}

-- name: check_room
-- Divides by zero, and so rolls back, if the target holds the batch, if repair deleted anything after
-- the batch had begun to be read, or if there is a row already where its rows go.
SELECT 1 / (CASE WHEN COUNT(*) = 0 THEN 1 ELSE 0 END) AS room
FROM (
    SELECT 1 AS found FROM {{ ledger }}
    WHERE batch_id = {{ batch.batch_id | literal }}
       OR (kind = 'base' AND read_from >= CAST({{ batch.read_to | literal }} AS TIMESTAMP))
    UNION ALL
    SELECT 1 AS found FROM {{ tombstones }}
    WHERE "_read_at" >= CAST({{ batch.read_from | literal }} AS TIMESTAMP)
    UNION ALL
    SELECT 1 AS found FROM {{ target }}
    {{ in_window() }}
) AS taken;

-- name: copy_batch
{{ copy_into(target, names) }}

-- name: check_count
-- Divides by zero, and so rolls back, unless there are as many rows now as the manifest promised.
SELECT 1 / (CASE WHEN COUNT(*) = {{ rows | literal }} THEN 1 ELSE 0 END) AS complete
FROM {{ target }}
{{ in_window() }};

-- name: enter_ledger
INSERT INTO {{ ledger }}
    (batch_id, kind, read_from, read_to, low, high, as_of, rows_staged, rows_merged, rows_stale,
     rows_set_aside, checksum, loaded_at, statement_id)
SELECT {{ batch.batch_id | literal }}, {{ batch.plan.kind | literal }},
       CAST({{ batch.read_from | literal }} AS TIMESTAMP), CAST({{ batch.read_to | literal }} AS TIMESTAMP),
       CAST({{ batch.plan.low | literal }} AS TIMESTAMP), CAST({{ batch.plan.high | literal }} AS TIMESTAMP),
       CAST({{ batch.plan.high | literal }} AS TIMESTAMP),
       {{ rows | literal }}, {{ rows | literal }}, 0,
       {{ batch.rows_set_aside | literal }}, {{ batch.checksum | literal }}, {{ now() }}, {{ token | literal }};
