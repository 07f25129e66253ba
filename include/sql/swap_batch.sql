-- Replace a whole table by a base (a full refresh, a resync), and enter it in the ledger.
--
-- One transaction, as every load: a reader sees the old table or the new one, and whatever breaks it
-- off leaves no trace. Rows that were read after the base began to be read are carried over, so a
-- base can be applied late, and none of them is lost (protocol rule 3).
{% from "merging.sql" import copy_into, loaded_at, lock, newer, now, same_key with context %}
{# PostgreSQL keeps a table of the same columns and gives it other rows: its indexes, grants, views
   and partitions stay. In Redshift that would leave as many dead rows as live ones. #}
{% set in_place = alike and dialect == "postgres" %}
{% set target = schema | identifier ~ "." ~ table | identifier %}
{% set new = "tidemark_new" | identifier if in_place else schema | identifier ~ "." ~ new_table | identifier %}
{% set ledger = schema | identifier ~ "." ~ ledger_table | identifier %}
{% set tombstones = schema | identifier ~ "." ~ tombstone_table | identifier %}
{# Where every row of the base has its place at once, there is no stage: the new table is one. #}
{% set stage = new if straight else "tidemark_stage" | identifier %}
{% macro read_later(rows) -%}
{{ rows }}."_read_at" > {{ read_from | literal }}
{%- endmacro %}
{# Like the table that is there: with the distribution, sort keys and encodings that it has by now,
   whoever chose them. #}
{% macro create_new() -%}
{% if in_place %}
CREATE TEMP TABLE {{ new }} (LIKE {{ target }}{{ " INCLUDING DEFAULTS" if straight }});
{% elif alike %}
CREATE TABLE {{ new }} (LIKE {{ target }} INCLUDING DEFAULTS);
{% else %}
CREATE TABLE {{ new }} (
{% for column in columns %}
    {{ column.name | identifier }} {{ column.redshift | type }}{{ " NOT NULL" if column.name in key or column.name in lineage }},
{% endfor %}
    {{ loaded_at() }}
)
{% if dist_key and dialect == "redshift" %}
DISTSTYLE KEY DISTKEY ({{ dist_key | identifier }})
{% endif %}
{% if sort_keys and dialect == "redshift" %}
SORTKEY ({{ sort_keys | identifiers }})
{% endif %};
{% endif %}
{%- endmacro %}

-- name: lock_ledger
-- First of all: whoever loads, swaps or repairs this table takes this lock.
{{ lock(ledger) }}

{% if not superseded %}
-- name: check_newest
-- Divides by zero, and so rolls back, if the base is applied already or a newer one is.
SELECT 1 / (CASE WHEN COUNT(*) = 0 THEN 1 ELSE 0 END) AS newest
FROM {{ ledger }}
WHERE batch_id = {{ batch_id | literal }}
   OR (kind = 'base' AND read_from >= {{ read_from | literal }});

{% if straight %}
-- name: create_new
{{ create_new() }}

-- name: copy_batch
{{ copy_into(new, names) }}

-- name: check_count
-- Divides by zero, and so rolls back, unless the table holds what the manifest promised.
SELECT 1 / (CASE WHEN COUNT(*) = {{ rows | literal }} THEN 1 ELSE 0 END) AS complete
FROM {{ new }};
{% else %}
{% include "staging.sql" %}
{% endif %}

-- name: drop_deleted
-- What repair deleted after the base had begun to be read does not rise again.
{% if key %}
DELETE FROM {{ stage }}
USING {{ tombstones }}
WHERE {{ same_key(tombstones, stage) }}
  AND {{ tombstones }}."_read_at" >= {{ read_from | literal }};
{% endif %}

{% if not straight %}
-- name: create_new
{{ create_new() }}

-- name: fill_new
INSERT INTO {{ new }} ({{ names | identifiers }}, "_loaded_at")
{% if key and may_repeat_keys %}
SELECT {{ columns | from_stage }}, "_loaded_at"
FROM (
    SELECT {{ names | identifiers }}, "_loaded_at",
           ROW_NUMBER() OVER (
               PARTITION BY {{ key | identifiers }}
               ORDER BY {% if cursor %}{{ cursor | identifier }} DESC NULLS LAST, {% endif %}"_read_at" DESC
           ) AS tidemark_rank
    FROM {{ stage }}
) AS ranked
WHERE tidemark_rank = 1;
{% else %}
SELECT {{ columns | from_stage }}, "_loaded_at"
FROM {{ stage }};
{% endif %}
{% endif %}

-- name: add_key
{% if key and not in_place %}
ALTER TABLE {{ new }} ADD PRIMARY KEY ({{ key | identifiers }});
{% endif %}

-- name: drop_overtaken
-- A row that was read later than this base, and is newer, stays as it is.
{% if key and carried %}
DELETE FROM {{ new }}
USING {{ target }}
WHERE {{ same_key(target, new) }}
  AND {{ read_later(target) }}
{% if cursor and cursor in carried %}
  AND {{ newer(target, new) }};
{% else %}
  AND {{ target }}."_read_at" > {{ new }}."_read_at";
{% endif %}
{% endif %}

-- name: enter_ledger
-- Before rows of other batches join them: what is in the new table came from this base.
INSERT INTO {{ ledger }}
    (batch_id, kind, read_from, read_to, low, high, as_of, rows_staged, rows_merged, rows_stale,
     rows_set_aside, checksum, loaded_at, statement_id)
SELECT {{ batch_id | literal }}, 'base',
       CAST({{ read_from | literal }} AS TIMESTAMP), CAST({{ read_to | literal }} AS TIMESTAMP),
       CAST(NULL AS TIMESTAMP), CAST({{ high | literal }} AS TIMESTAMP),
       CAST({{ high | literal }} AS TIMESTAMP),
       {{ rows | literal }}, rows_merged, {{ rows | literal }} - rows_merged,
       {{ rows_set_aside | literal }}, {{ checksum | literal }}, {{ now() }}, {{ token | literal }}
FROM (
    SELECT COUNT(*) AS rows_merged FROM {{ new }}
) AS merged;

-- name: carry_newer
{% if key and carried %}
INSERT INTO {{ new }} ({{ carried | identifiers }}, "_loaded_at")
SELECT {% for column in columns if column.name in carried %}CAST({{ target }}.{{ column.name | identifier }} AS {{ column.redshift | type }}), {% endfor %}{{ target }}."_loaded_at"
FROM {{ target }}
LEFT JOIN {{ new }} ON {{ same_key(target, new) }}
WHERE {{ read_later(target) }}
  AND {{ new }}.{{ key[0] | identifier }} IS NULL;
{% endif %}

-- name: empty_old
-- Fails, and so changes nothing, if a view is bound to the table: see the runbook.
{% if in_place %}
DELETE FROM {{ target }};
{% else %}
DROP TABLE {{ target }};
{% endif %}

-- name: put_in_place
{% if in_place %}
INSERT INTO {{ target }} ({{ names | identifiers }}, "_loaded_at")
SELECT {{ names | identifiers }}, "_loaded_at" FROM {{ new }};
{% else %}
ALTER TABLE {{ new }} RENAME TO {{ table | identifier }};
{% endif %}
{% else %}
-- name: enter_superseded
-- A newer base is applied already: this one is recorded and changes nothing.
INSERT INTO {{ ledger }}
    (batch_id, kind, read_from, read_to, low, high, as_of, rows_staged, rows_merged, rows_stale,
     rows_set_aside, checksum, loaded_at, statement_id)
SELECT {{ batch_id | literal }}, 'superseded',
       CAST({{ read_from | literal }} AS TIMESTAMP), CAST({{ read_to | literal }} AS TIMESTAMP),
       CAST(NULL AS TIMESTAMP), CAST({{ high | literal }} AS TIMESTAMP),
       CAST({{ high | literal }} AS TIMESTAMP),
       0, 0, 0, 0, {{ checksum | literal }}, {{ now() }}, {{ token | literal }}
WHERE EXISTS (SELECT 1 FROM {{ ledger }} WHERE kind = 'base' AND read_from >= {{ read_from | literal }})
  AND NOT EXISTS (SELECT 1 FROM {{ ledger }} WHERE batch_id = {{ batch_id | literal }});
{% endif %}
