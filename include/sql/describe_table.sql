-- How a table looks on a target. No row means that there is no such table.
{% set catalogue = "information_schema.columns" if dialect == "postgres" else "svv_columns" %}

-- name: columns
-- Whether a column has a default PostgreSQL's view would tell by its text, for which it waits for
-- whoever has locked the table.
SELECT column_name, data_type, is_nullable, character_maximum_length, numeric_precision,
       numeric_scale,
{% if dialect == "redshift" %}
       column_default IS NOT NULL AS filled
{% else %}
       EXISTS (
           SELECT 1 FROM pg_attrdef
           WHERE adrelid = CAST(QUOTE_IDENT(table_schema) || '.' || QUOTE_IDENT(table_name) AS REGCLASS)
             AND adnum = ordinal_position
       ) AS filled
{% endif %}
FROM {{ catalogue }}
{% if dialect == "redshift" %}
-- It keeps names in lower case, however they are written, unless told not to.
WHERE LOWER(table_schema) = {{ schema | lower | literal }}
  AND LOWER(table_name) = {{ table | lower | literal }}
{% else %}
WHERE table_schema = {{ schema | literal }} AND table_name = {{ table | literal }}
{% endif %}
ORDER BY ordinal_position;

-- What the loading user may do; every user may make temporary tables, unless that was taken away.
-- https://docs.aws.amazon.com/redshift/latest/dg/r_HAS_SCHEMA_PRIVILEGE.html
-- name: rights
SELECT HAS_SCHEMA_PRIVILEGE({{ schema | literal }}, 'usage') AS may_use,
       HAS_SCHEMA_PRIVILEGE({{ schema | literal }}, 'create') AS may_create;
