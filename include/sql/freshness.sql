-- What a warehouse itself says of how fresh it is: `SELECT * FROM tidemark_freshness`.
--
-- A target cannot know by itself up to when it is complete: that nothing new came, and what it owes,
-- is written elsewhere. So the as-of of all tables is written here every few minutes, by one writer,
-- outside every load: loads of different tables never wait for each other. Between two writes the
-- lag comes out too great, never too small.
{% set published = schema | identifier ~ "." ~ "_tidemark_freshness" | identifier %}
{% set now = "GETDATE()" if dialect == "redshift" else "CAST(CLOCK_TIMESTAMP() AT TIME ZONE 'UTC' AS TIMESTAMP)" %}

{% if part == "create" %}
-- name: create_table
CREATE TABLE IF NOT EXISTS {{ published }} (
    table_name VARCHAR(256) NOT NULL,
    relation VARCHAR(256) NOT NULL,
    as_of TIMESTAMP,
    target_lag_seconds DOUBLE PRECISION NOT NULL,
    max_lag_seconds DOUBLE PRECISION NOT NULL,
    measured_at TIMESTAMP NOT NULL,
    PRIMARY KEY (table_name)
);

-- name: create_view
CREATE OR REPLACE VIEW {{ schema | identifier }}.{{ "tidemark_freshness" | identifier }} AS
SELECT table_name, relation, as_of, lag_seconds, target_lag_seconds, max_lag_seconds,
       CASE WHEN lag_seconds IS NULL THEN 'unknown'
            WHEN lag_seconds <= target_lag_seconds THEN 'fresh'
            WHEN lag_seconds <= max_lag_seconds THEN 'late'
            ELSE 'stale' END AS freshness,
       'Data as of ' || TO_CHAR(as_of, 'YYYY-MM-DD HH24:MI') || ' UTC' AS data_as_of,
       measured_at
FROM (
    SELECT table_name, relation, as_of, target_lag_seconds, max_lag_seconds, measured_at,
{% if dialect == "redshift" %}
           DATEDIFF(second, as_of, {{ now }}) AS lag_seconds
{% else %}
           CAST(EXTRACT(EPOCH FROM ({{ now }} - as_of)) AS BIGINT) AS lag_seconds
{% endif %}
    FROM {{ published }}
) AS measured;
{% else %}
-- name: forget
DELETE FROM {{ published }};

{% for rows in pages %}

-- name: publish_{{ loop.index }}
INSERT INTO {{ published }}
    (table_name, relation, as_of, target_lag_seconds, max_lag_seconds, measured_at)
VALUES
{% for row in rows %}
    ({{ row.table | literal }}, {{ row.relation | literal }}, {{ row.as_of | literal }}, {{ row.target_lag | literal }}, {{ row.max_lag | literal }}, {{ measured_at | literal }}){{ "," if not loop.last }}
{% endfor %};
{% endfor %}
{% endif %}
