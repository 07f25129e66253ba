-- What the files that make, load and swap tables say alike, with the `key` and `cursor` of whoever
-- imports it.

{% macro lock(ledger) -%}
{% if dialect == "redshift" %}
LOCK TABLE {{ ledger }};
{% else %}
LOCK TABLE {{ ledger }} IN EXCLUSIVE MODE;
{% endif %}
{%- endmacro %}

{% macro same_key(left, right) -%}
{% for column in key %}{{ "" if loop.first else " AND " }}
{{- left }}.{{ column | identifier }} = {{ right }}.{{ column | identifier }}
{%- endfor %}
{%- endmacro %}

{# Of two versions of a row: the greater (cursor, read_at). A zero date arrives as NULL, and is older
   than any time. #}
{% macro newer(left, right) -%}
({{ left }}.{{ cursor | identifier }} > {{ right }}.{{ cursor | identifier }}
       OR ({{ left }}.{{ cursor | identifier }} = {{ right }}.{{ cursor | identifier }}
           AND {{ left }}."_read_at" > {{ right }}."_read_at")
       OR ({{ right }}.{{ cursor | identifier }} IS NULL
           AND ({{ left }}.{{ cursor | identifier }} IS NOT NULL
                OR {{ left }}."_read_at" > {{ right }}."_read_at")))
{%- endmacro %}

{% macro sha256(value) -%}
{{ "SHA2(" ~ value ~ ", 256)" if dialect == "redshift" else "ENCODE(SHA256(CONVERT_TO(" ~ value ~ ", 'UTF8')), 'hex')" }}
{%- endmacro %}

{# Asked once for each statement: GETDATE is the statement's time, and the clock is in a query of its
   own. #}
{% macro now() -%}
{{ "GETDATE()" if dialect == "redshift" else "(SELECT CLOCK_TIMESTAMP() AT TIME ZONE 'UTC')" }}
{%- endmacro %}

{# Rows that are copied straight into a table get their time by this default, once for all of them:
   https://docs.aws.amazon.com/redshift/latest/dg/c_loading_default_values.html #}
{% macro loaded_at() -%}
"_loaded_at" TIMESTAMP NOT NULL DEFAULT {{ "SYSDATE" if dialect == "redshift" else "(STATEMENT_TIMESTAMP() AT TIME ZONE 'UTC')" }}
{%- endmacro %}

{# Without looking at the values of every column afterwards: a stage lives for one load, and a table
   is analysed by the warehouse itself, when it has time. #}
{% macro copy_into(where, columns=()) -%}
{% if manifest_url and dialect == "redshift" %}
COPY {{ where }}{% if columns %} ({{ columns | identifiers }}){% endif %}

FROM {{ manifest_url | literal }}
IAM_ROLE {{ iam_role | literal }}
FORMAT AS PARQUET
MANIFEST
STATUPDATE OFF;
{% elif rows %}
COPY {{ where }}{% if columns %} ({{ columns | identifiers }}){% endif %} FROM STDIN (FORMAT csv);
{% endif %}
{%- endmacro %}
