-- What a session on a PostgreSQL target needs beside the statements of a load.

{% if question == "settings" %}
-- name: settings
-- Only settings that this server has (the last one came with PostgreSQL 14). It makes the server
-- look every second whether we are still there: what a killed worker left running ends by itself.
SELECT set_config(given.name, given.value, FALSE)
FROM (VALUES
    ('timezone', 'UTC'),
    ('standard_conforming_strings', 'on'),
    ('statement_timeout', {{ (milliseconds | string) | literal }}),
    ('idle_in_transaction_session_timeout', {{ (milliseconds | string) | literal }}),
    ('client_connection_check_interval', '1000')
) AS given (name, value)
JOIN pg_catalog.pg_settings ON LOWER(pg_settings.name) = given.name;
{% endif %}

{% if question == "running" %}
-- name: running
-- A process id may be given again, so the handle has the moment at which the session began too.
SELECT pid || '/' || EXTRACT(EPOCH FROM backend_start) AS handle
FROM pg_catalog.pg_stat_activity
WHERE datname = CURRENT_DATABASE() AND application_name = {{ name | literal }}
ORDER BY backend_start DESC
LIMIT 1;
{% endif %}

{% if question == "handle" %}
-- name: alive
SELECT 1
FROM pg_catalog.pg_stat_activity
WHERE pid || '/' || EXTRACT(EPOCH FROM backend_start) = {{ handle | literal }};

-- name: end
-- The session and not the statement: the next one would begin.
SELECT pg_catalog.pg_terminate_backend(pid)
FROM pg_catalog.pg_stat_activity
WHERE pid || '/' || EXTRACT(EPOCH FROM backend_start) = {{ handle | literal }};
{% endif %}
