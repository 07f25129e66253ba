-- What Tidemark asks a MySQL or MariaDB source. It only reads; every session runs in UTC.
{% set from_table = (schema | identifier ~ "." ~ table | identifier) if table is defined else "" %}
{% macro in_window() -%}
{% if low is not none %}{{ cursor | identifier }} >= {{ low | literal }} AND {% endif -%}
{% if high is not none %}{{ cursor | identifier }} < {{ high | literal }}{% else %}TRUE{% endif %}
{%- endmacro %}
{% macro key_value(column, value) -%}
{{ "X" if column.binary }}{{ value | literal }}
{%- endmacro %}
{# No row constructor, (a, b) >= (1, 2): the server would walk the whole index for it. #}
{% macro beyond(key, bound, last) -%}
({% for size in range(1, bound | length + 1) %}{{ " OR " if not loop.first }}
{%- for column in key[:size] %}{{ " AND " if not loop.first -}}
{{ column.name | identifier }}
{%- if not loop.last %} = {% elif size == bound | length %} {{ last }} {% else %} {{ last[0] }} {% endif -%}
{{ key_value(column, bound[loop.index0]) }}{% endfor %}{% endfor %})
{%- endmacro %}
{% macro in_key_range(key, key_low, key_high) -%}
{% if key_low is not none %} AND {{ beyond(key, key_low, ">=") }}{% endif -%}
{% if key_high is not none %} AND {{ beyond(key, key_high, "<") }}{% endif %}
{%- endmacro %}
{% macro key_names(key) -%}
{% for column in key %}{{ ", " if not loop.first }}{{ column.name | identifier }}{% endfor %}
{%- endmacro %}
{% macro by_index(index) -%}
{% if index is not none %} FORCE INDEX ({{ index | identifier }}){% endif %}
{%- endmacro %}
{% macro in_selection() -%}
{% if where is defined and where %} AND {{ where | predicate }}{% endif -%}
{%- endmacro %}
{% macro exact(column) -%}
{% if column.form == "bits" %}CAST({{ column.name | identifier }} AS UNSIGNED)
{%- elif column.form == "number" %}{{ column.name | identifier }} * 1E0
{%- else %}{{ column.name | identifier }}
{%- endif %}
{%- endmacro %}

{% macro selected(column) -%}
{% if not column.hash %}{{ exact(column) }}
{%- else -%}
SHA2(CONCAT(@tidemark_outer, UNHEX(SHA2(CONCAT(@tidemark_inner, CAST(
{%- if column.hash == "bytes" %}{{ exact(column) }}
{%- else %}CONVERT({{ exact(column) }} USING utf8mb4)
{%- endif %} AS BINARY)), 256))), 256)
{%- endif %}
{%- endmacro %}

-- name: now
SELECT UTC_TIMESTAMP(6) AS now;

{% if question == "session" %}
-- name: read_only
SET SESSION TRANSACTION READ ONLY;

-- name: time_limit
-- A shorter limit that the server or the account sets already stays.
{% if mariadb %}
SET SESSION max_statement_time = IF(
    @@max_statement_time > 0, LEAST(@@max_statement_time, {{ seconds | literal }}), {{ seconds | literal }}
);
{% else %}
-- Cast, because the least of an unsigned and a signed number is a DECIMAL to MySQL.
SET SESSION max_execution_time = CAST(IF(
    @@max_execution_time > 0,
    LEAST(@@max_execution_time, {{ seconds | literal }} * 1000), {{ seconds | literal }} * 1000
) AS UNSIGNED);
{% endif %}
{% endif %}

{% if question == "describe" %}
-- name: table
SELECT table_type AS kind, engine AS engine, table_rows AS rows_estimate
FROM information_schema.tables
WHERE table_schema = {{ schema | literal }} AND table_name = {{ table | literal }};

-- name: columns
SELECT column_name AS column_name, data_type AS data_type, column_type AS column_type,
       is_nullable AS is_nullable, character_maximum_length AS character_maximum_length,
       character_octet_length AS character_octet_length, numeric_precision AS numeric_precision,
       numeric_scale AS numeric_scale, character_set_name AS character_set_name
FROM information_schema.columns
WHERE table_schema = {{ schema | literal }} AND table_name = {{ table | literal }}
ORDER BY ordinal_position;

-- name: indexes
-- All columns, because each kind of server has its own for an index that is switched off.
SELECT * FROM information_schema.statistics
WHERE table_schema = {{ schema | literal }} AND table_name = {{ table | literal }}
ORDER BY index_name, seq_in_index;
{% endif %}

{% if question == "clock" %}
-- name: server
-- A read-only server with nothing to say about replication may still be somebody's copy.
SELECT @@global.read_only AS read_only, @@global.innodb_read_only AS innodb_read_only;

-- name: replica_all
-- MariaDB's way to see every connection; MySQL shows all its channels anyway.
SHOW ALL REPLICAS STATUS;

-- name: replica
SHOW REPLICA STATUS;

-- name: replica_old
SHOW SLAVE STATUS;

-- name: statements
-- All columns, because only some servers count in milliseconds (TIME_MS).
SELECT * FROM information_schema.processlist WHERE id <> CONNECTION_ID();

-- name: server_zone
-- The list below is dated in the server's own zone, whatever the session's.
SET time_zone = 'SYSTEM';

-- name: take_turn
-- Tables of one server are often planned at the same second, and each look at the list freezes it
-- for the others; so they look one after the other. Whoever waits too long looks all the same.
SELECT GET_LOCK('tidemark.clock', 30) AS taken;

-- name: open_sentinel
-- Enters the list of transactions without reading any table, so it needs no grant.
START TRANSACTION WITH CONSISTENT SNAPSHOT;

-- name: transactions
-- A local time that happens twice, when summer ends, counts as the earlier one: holding back too
-- long is safe, and an hour too short is not.
SELECT trx_mysql_thread_id AS thread_id,
       trx_is_read_only AS is_read_only,
       trx_rows_modified AS rows_modified,
       trx_query AS query,
       UNIX_TIMESTAMP(trx_started)
           - IF(FROM_UNIXTIME(UNIX_TIMESTAMP(trx_started) - 3600) = trx_started, 3600, 0) AS started
FROM information_schema.innodb_trx;

-- name: close_sentinel
ROLLBACK;

-- name: end_turn
DO RELEASE_LOCK('tidemark.clock');

-- name: utc
SET time_zone = '+00:00';
{% endif %}

{% if question == "window" %}
-- name: has_rows
-- Without the table's condition: rows that do not meet it move the watermark too, or else every run
-- would search through more and more of them.
SELECT EXISTS (SELECT 1 FROM {{ from_table }} WHERE {{ in_window() }}) AS answer;

-- name: count_rows
SELECT COUNT(*) AS answer FROM {{ from_table }} WHERE {{ in_window() }};
{% endif %}

{% if question == "null_cursor" %}
-- name: count_null_cursor
SELECT COUNT(*) AS answer FROM {{ from_table }} WHERE {{ cursor | identifier }} IS NULL;
{% endif %}

{% if question == "share" %}
-- name: share
-- Estimates from the index's statistics: nothing is counted. Below, inside and above the window.
EXPLAIN FORMAT=TRADITIONAL
SELECT 1 FROM {{ from_table }}
UNION ALL SELECT 1 FROM {{ from_table }}{{ by_index(index) }} WHERE {{ in_window() }}
{% if low is not none %}
UNION ALL SELECT 1 FROM {{ from_table }}{{ by_index(index) }}
WHERE {{ cursor | identifier }} < {{ low | literal }}
{% endif %}
{% if high is not none %}
UNION ALL SELECT 1 FROM {{ from_table }}{{ by_index(index) }}
WHERE {{ cursor | identifier }} >= {{ high | literal }}
{% endif %};
{% endif %}

{% if question == "key_ranges" %}
-- name: key_span
SELECT MIN({{ key[0].name | identifier }}) AS first, MAX({{ key[0].name | identifier }}) AS last
FROM {{ from_table }};

-- name: key_estimates
-- One dive into the key's index for each range; nothing is read. The last part holds no row: MySQL
-- does not dive for a SELECT that stands alone with its FORCE INDEX, and estimates one row.
EXPLAIN FORMAT=TRADITIONAL
{% for low, high in ranges %}
SELECT 1 FROM {{ from_table }}{{ by_index(index) }} WHERE TRUE
{{- in_key_range(key, low, high) }} UNION ALL
{% endfor %}
SELECT 1 FROM {{ from_table }} WHERE FALSE;
{% endif %}

{% if question == "newest_key" %}
-- name: newest_key
SELECT MAX({{ cursor | identifier }}) AS answer FROM {{ from_table }};
{% endif %}

{% if question == "cursor_span" %}
-- name: cursor_span
SELECT MIN({{ cursor | identifier }}) AS first, MAX({{ cursor | identifier }}) AS last
FROM {{ from_table }}{{ by_index(index) }}
WHERE {{ cursor | identifier }} >= {{ low | literal }};
{% endif %}

{% if question == "sample" %}
-- name: sampled_keys
-- The keys of rows at moments spread over time, in the key's own order; one dive each.
SELECT DISTINCT {{ key_names(key) }}
FROM (
{% for moment in moments %}
    {{ "UNION ALL " if not loop.first }}(
        SELECT {{ key_names(key) }} FROM {{ from_table }}{{ by_index(index) }}
        WHERE {{ cursor | identifier }} >= {{ moment | literal }}
        ORDER BY {{ cursor | identifier }} LIMIT 1
    )
{% endfor %}
) AS sampled
ORDER BY {{ key_names(key) }};
{% endif %}

{% if question == "next_key" %}
-- name: next_key
-- The key that stands `every` rows further on.
SELECT {{ key_names(key) }}
FROM {{ from_table }} FORCE INDEX (PRIMARY)
WHERE TRUE{{ in_key_range(key, key_low, key_high) }}
ORDER BY {{ key_names(key) }}
LIMIT 1 OFFSET {{ every | literal }};
{% endif %}

{% if question == "limit" %}
-- name: last_value
-- The cursor value of the row at which the limit is reached.
SELECT {{ cursor | identifier }} AS answer
FROM {{ from_table }}
WHERE {{ in_window() }}
ORDER BY {{ cursor | identifier }}
LIMIT 1 OFFSET {{ (every - 1) | literal }};
{% endif %}

{% if question == "boundaries" %}
-- name: next_boundary
-- The cursor value that stands `every` rows further on.
SELECT {{ cursor | identifier }} AS answer
FROM {{ from_table }}
WHERE {{ in_window() }}
ORDER BY {{ cursor | identifier }}
LIMIT 1 OFFSET {{ every | literal }};

-- name: next_value
-- Past a value that more than `every` rows share: ties stay together.
SELECT MIN({{ cursor | identifier }}) AS answer
FROM {{ from_table }}
WHERE {{ cursor | identifier }} > {{ low | literal }} AND {{ in_window() }};
{% endif %}

{% if question == "stop" %}
-- name: stop
-- Our own session only, whose rows nobody reads any more: hanging up would not end its query.
KILL {{ thread | literal }};
{% endif %}

{% if question == "hash_key" %}
-- name: hash_key
-- HMAC's two key blocks, in variables of the session: so the key is no part of the query that runs
-- for minutes in everybody's process list.
SET @tidemark_inner = UNHEX({{ hash_pads[0] | literal }}),
    @tidemark_outer = UNHEX({{ hash_pads[1] | literal }});
{% endif %}

{% if question == "rows" %}
-- name: isolate
SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ;

-- name: open_snapshot
START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY;

-- name: rows
-- Columns in the plan's order, each in the form whose text is exact. No ORDER BY: the merge does
-- not need it, and a sort would cost more than the reading.
SELECT {% for column in columns %}{{ selected(column) }}{{ "" if loop.last else ", " }}{% endfor %}

FROM {{ from_table }}{{ by_index(index) }}
WHERE {{ in_window() }}{{ in_key_range(key, key_low, key_high) }}{{ in_selection() }};
{% endif %}
