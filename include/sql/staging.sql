-- The beginning of a load whose rows are compared: a batch's files in a temporary table, and as many
-- rows as promised. Included by load_batch.sql and swap_batch.sql, whose names it uses.
{% from "merging.sql" import copy_into, loaded_at with context %}

-- name: create_stage
-- COPY from Parquet matches columns by position: the file's columns, in the file's order, and the time
-- of loading last, as the table was made: the stage's rows are the table's. Spread over
-- the nodes as the table is, its rows meet those of the table, and get there, without travelling:
-- https://docs.aws.amazon.com/redshift/latest/dg/merge-create-staging-table.html
CREATE TEMP TABLE {{ stage }} (
{% for column in columns %}
    {{ column.name | identifier }} {{ column.redshift | staged_type }},
{% endfor %}
    {{ loaded_at() }}
)
{% if dist_key in names and dialect == "redshift" %}
DISTSTYLE KEY DISTKEY ({{ dist_key | identifier }})
{% endif %};

-- name: copy_batch
{{ copy_into(stage, names) }}

-- name: check_count
-- Divides by zero, and so rolls back, unless the stage holds what the manifest promised.
SELECT 1 / (CASE WHEN COUNT(*) = {{ rows | literal }} THEN 1 ELSE 0 END) AS complete
FROM {{ stage }};
