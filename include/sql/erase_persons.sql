-- Delete persons' events on one warehouse, and remember whose: one transaction. Repeating it changes
-- nothing.
{% from "merging.sql" import lock, now, sha256 with context %}
{% set target = schema | identifier ~ "." ~ table | identifier %}
{% set ledger = schema | identifier ~ "." ~ ledger_table | identifier %}
{% set forgotten = schema | identifier ~ "." ~ forgotten_table | identifier %}
{% macro theirs() -%}
{{ target }}.{{ cursor | identifier }} <= CAST({{ until | literal }} AS TIMESTAMP)
  AND ({% for column, values in digests.items() %}{{ "" if loop.first else "\n       OR " }}
{{- sha256(target ~ "." ~ column | identifier) }} IN ({{ values | literals }}){% endfor %})
{%- endmacro %}

-- name: lock_ledger
{{ lock(ledger) }}

-- name: enter_ledger
-- Before the rows go, so that it can say how many there were: the receipt of the request.
INSERT INTO {{ ledger }}
    (batch_id, kind, read_from, read_to, low, high, as_of, rows_staged, rows_merged, rows_stale,
     rows_set_aside, checksum, loaded_at, statement_id)
SELECT {{ batch_id | literal }}, 'erasure', CAST({{ until | literal }} AS TIMESTAMP),
       CAST({{ until | literal }} AS TIMESTAMP), CAST(NULL AS TIMESTAMP),
       CAST({{ until | literal }} AS TIMESTAMP), CAST(NULL AS TIMESTAMP), there, there, 0, 0,
       {{ checksum | literal }}, {{ now() }}, {{ token | literal }}
FROM (
    SELECT COUNT(*) AS there
    FROM {{ target }}
    WHERE {{ theirs() }}
) AS counted
WHERE NOT EXISTS (SELECT 1 FROM {{ ledger }} WHERE batch_id = {{ batch_id | literal }});

-- name: delete_events
DELETE FROM {{ target }}
WHERE {{ theirs() }};

-- name: forget_request
DELETE FROM {{ forgotten }} WHERE batch_id = {{ batch_id | literal }};

-- name: remember_persons
INSERT INTO {{ forgotten }} (person_column, digest, came_until, batch_id) VALUES
{% for column, values in digests.items() %}
{% set outer = loop %}
{% for digest in values %}
    ({{ column | literal }}, {{ digest | literal }}, CAST({{ until | literal }} AS TIMESTAMP), {{ batch_id | literal }}){{ "" if outer.last and loop.last else "," }}
{% endfor %}
{% endfor %};
