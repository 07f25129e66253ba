-- Merge one batch into one warehouse: the newest version of each row wins, and the ledger says so.
--
-- Sent as one BatchExecuteStatement, which Redshift runs as one transaction, or to PostgreSQL between
-- BEGIN and COMMIT: a reader sees the table before the batch or after it. Repeating it, or loading
-- an old batch late, changes nothing that is newer. TRUNCATE stays out of this file: in Redshift it
-- commits on the spot.
--
-- The stage itself is made into what is merged. Usually all of it is: then the statements that take
-- rows out of it find nothing to do, and none of them writes a row.
{% from "merging.sql" import lock, newer, now, same_key, sha256 with context %}
{% macro read_from(rows) -%}
CASE {{ rows }}."_batch_id"{% for batch in batches %} WHEN {{ batch.batch_id | literal }} THEN CAST({{ batch.read_from | literal }} AS TIMESTAMP){% endfor %} END
{%- endmacro %}
{% set target = schema | identifier ~ "." ~ table | identifier %}
{% set ledger = schema | identifier ~ "." ~ ledger_table | identifier %}
{% set tombstones = schema | identifier ~ "." ~ tombstone_table | identifier %}
{% set forgotten = schema | identifier ~ "." ~ forgotten_table | identifier %}
{% set stage = "tidemark_stage" | identifier %}
{% set repeated = "tidemark_repeated" | identifier %}
{% set newest = "tidemark_newest" | identifier %}

-- name: lock_ledger
-- First of all: whoever loads, swaps or repairs this table takes this lock, so that the guard below
-- reads the truth whatever the isolation level.
{{ lock(ledger) }}

{% include "staging.sql" %}

-- name: analyze_stage
-- The planner knows nothing of a new table, and would plan the merge for a small one. Only what is
-- joined is looked at, and only where there is enough of it to be planned for.
{% if rows >= 10000 %}
ANALYZE {{ stage }} ({{ key | identifiers }});
{% endif %}

-- name: drop_held
-- Nothing of a batch that the target holds: that its ledger lists, or a base covers.
DELETE FROM {{ stage }}
WHERE "_batch_id" IN (
    SELECT batch_id FROM {{ ledger }} WHERE batch_id IN ({{ batch_ids | literals }})
{% for batch in batches %}
    UNION ALL SELECT CAST({{ batch.batch_id | literal }} AS VARCHAR(256)) FROM {{ ledger }}
    WHERE kind = 'base' AND read_from >= CAST({{ batch.read_to | literal }} AS TIMESTAMP)
{% endfor %}
);

-- name: drop_deleted
-- What repair deleted does not rise again from a batch that had begun to be read by then.
DELETE FROM {{ stage }}
USING {{ tombstones }}
WHERE {{ same_key(tombstones, stage) }}
  AND {{ tombstones }}."_read_at" >= {{ read_from(stage) }};

{% for column in person_columns %}

-- name: drop_forgotten_{{ loop.index }}
-- Nor do events that came in before their person asked for their deletion.
DELETE FROM {{ stage }}
USING {{ forgotten }}
WHERE {{ forgotten }}.person_column = {{ column | literal }}
  AND {{ forgotten }}.digest = {{ sha256(stage ~ "." ~ column | identifier) }}
  AND {{ forgotten }}.came_until >= {{ stage }}.{{ cursor | identifier }};
{% endfor %}

-- name: find_repeated
-- One row per key is kept, the greatest (cursor, read_at). Only keys that are there more than once
-- are ranked: hardly any, while ranking them all would sort and copy the whole stage. Nor is one
-- looked for where the way of reading leaves no room for it.
{% if may_repeat_keys %}
CREATE TEMP TABLE {{ repeated }} AS
SELECT {{ key | identifiers }}
FROM {{ stage }}
GROUP BY {{ key | identifiers }}
HAVING COUNT(*) > 1;
{% endif %}

-- name: rank_repeated
{% if may_repeat_keys %}
CREATE TEMP TABLE {{ newest }} AS
SELECT {{ names | identifiers }}
FROM (
    SELECT {{ names | identifiers }},
           ROW_NUMBER() OVER (
               PARTITION BY {{ key | identifiers }}
               ORDER BY {{ cursor | identifier }} DESC NULLS LAST, "_read_at" DESC
           ) AS tidemark_rank
    FROM {{ stage }}
    JOIN {{ repeated }} USING ({{ key | identifiers }})
) AS ranked
WHERE tidemark_rank = 1;
{% endif %}

-- name: drop_repeated
{% if may_repeat_keys %}
DELETE FROM {{ stage }}
USING {{ repeated }}
WHERE {{ same_key(repeated, stage) }};
{% endif %}

-- name: keep_newest
{% if may_repeat_keys %}
INSERT INTO {{ stage }} ({{ names | identifiers }})
SELECT {{ names | identifiers }} FROM {{ newest }};
{% endif %}

-- name: delete_replaced
-- An older version of a row never overwrites a newer one. Rows that are only ever added have one
-- version: they replace themselves (rule 13), and lie between keys that are known, so that the
-- warehouse can leave alone what lies outside: usually the whole table.
DELETE FROM {{ target }}
USING {{ stage }}
WHERE {{ same_key(target, stage) }}
{%- if keys and keys.low is not none %}

  AND {{ target }}.{{ cursor | identifier }} >= {{ keys.low | literal }}
{%- endif %}
{%- if keys %}

  AND {{ target }}.{{ cursor | identifier }} < {{ keys.high | literal }}
{%- endif %}
{%- if not only_added %}

  AND {{ newer(stage, target) }}
{%- endif %};

-- name: drop_stale
-- What the target still has is newer than what came.
{% if not only_added %}
DELETE FROM {{ stage }}
USING {{ target }}
WHERE {{ same_key(target, stage) }};
{% endif %}

-- name: insert_rows
INSERT INTO {{ target }} ({{ names | identifiers }}, "_loaded_at")
SELECT {{ columns | from_stage }}, "_loaded_at"
FROM {{ stage }};

-- name: enter_ledger
-- One row for each batch, with the rows that came from it.
INSERT INTO {{ ledger }}
    (batch_id, kind, read_from, read_to, low, high, as_of, rows_staged, rows_merged, rows_stale,
     rows_set_aside, checksum, loaded_at, statement_id)
SELECT batch_id, kind, read_from, read_to, low, high, as_of, rows_staged, COALESCE(rows_merged, 0),
       rows_staged - COALESCE(rows_merged, 0), rows_set_aside, checksum, {{ now() }}, {{ token | literal }}
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
        CAST({{ batch.rows_set_aside | literal }} AS BIGINT) AS rows_set_aside,
        CAST({{ batch.checksum | literal }} AS VARCHAR(64)) AS checksum
{% endfor %}
) AS applied
LEFT JOIN (
{% if batches | length == 1 %}
    SELECT CAST({{ batch_ids[0] | literal }} AS VARCHAR(256)) AS merged_id, COUNT(*) AS rows_merged
    FROM {{ stage }}
{% else %}
    SELECT "_batch_id" AS merged_id, COUNT(*) AS rows_merged FROM {{ stage }} GROUP BY "_batch_id"
{% endif %}
) AS merged ON merged_id = batch_id
WHERE batch_id NOT IN (
    SELECT batch_id FROM {{ ledger }} WHERE batch_id IN ({{ batch_ids | literals }})
);
