-- What load_batch.sql and swap_batch.sql say alike, with the `key` and `cursor` of whoever imports it.

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
       OR ({{ left }}.{{ cursor | identifier }} IS NOT NULL
           AND {{ right }}.{{ cursor | identifier }} IS NULL)
       OR ((({{ left }}.{{ cursor | identifier }} IS NULL
             AND {{ right }}.{{ cursor | identifier }} IS NULL)
            OR {{ left }}.{{ cursor | identifier }} = {{ right }}.{{ cursor | identifier }})
           AND {{ left }}."_read_at" > {{ right }}."_read_at"))
{%- endmacro %}

{% macro sha256(value) -%}
{{ "SHA2(" ~ value ~ ", 256)" if dialect == "redshift" else "ENCODE(SHA256(CONVERT_TO(" ~ value ~ ", 'UTF8')), 'hex')" }}
{%- endmacro %}

{# Asked once for each statement: GETDATE is the statement's time, and the clock is in a query of its
   own. #}
{% macro now() -%}
{{ "GETDATE()" if dialect == "redshift" else "(SELECT CLOCK_TIMESTAMP() AT TIME ZONE 'UTC')" }}
{%- endmacro %}
