-- Whether a target takes some rows: into its stage, and into a copy of the table. Nothing is left.
--
-- Sent behind the stage, COPY and count of load_batch.sql, as one transaction. The copy has the
-- table's types and NOT NULLs, and the CHECKs that PostgreSQL knows; it is temporary, and ends with
-- the session. A base brings a table of its own, so it is only staged.
{% set stage = "tidemark_stage" | identifier %}
{% set probe = "tidemark_probe" | identifier %}

-- name: create_probe
{% if into_table %}
CREATE TEMP TABLE {{ probe }} (LIKE {{ schema | identifier }}.{{ table | identifier }}
{%- if dialect == "postgres" %} INCLUDING CONSTRAINTS{% endif %});
{% endif %}

-- name: try_rows
{% if into_table %}
INSERT INTO {{ probe }} ({% for column in columns %}{{ column.name | identifier }}, {% endfor %}"_loaded_at")
SELECT {{ columns | from_stage }}, "_loaded_at"
FROM {{ stage }};
{% endif %}
