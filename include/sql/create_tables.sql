-- Create a copied table and its ledger on a target. Safe to repeat; never destructive.
{% from "merging.sql" import loaded_at with context %}

-- name: take_turn
-- In PostgreSQL, two who create the same table at once may both find it missing; one would fail.
{% if dialect == "postgres" %}
SELECT pg_advisory_xact_lock(hashtext({{ (schema ~ "." ~ table) | literal }}));
{% endif %}

-- name: create_table
-- The key is informational in Redshift: it helps the planner and is not enforced. PostgreSQL
-- enforces it, and its index is how the merge finds the rows. Every other column
-- may be NULL, whatever the source says: Redshift cannot take a NOT NULL back, and what the source
-- drops is NULL from then on.
CREATE TABLE IF NOT EXISTS {{ schema | identifier }}.{{ table | identifier }} (
{% for column in columns %}
    {{ column.name | identifier }} {{ column.redshift | type }}{{ " NOT NULL" if column.name in key or column.name in lineage }},
{% endfor %}
    {{ loaded_at() }}{{ "," if key }}
{% if key %}
    PRIMARY KEY ({{ key | identifiers }})
{% endif %}
)
{% if dist_key and dialect == "redshift" %}
DISTSTYLE KEY DISTKEY ({{ dist_key | identifier }})
{% endif %}
{% if sort_keys and dialect == "redshift" %}
SORTKEY ({{ sort_keys | identifiers }})
{% endif %};

-- name: create_ledger
CREATE TABLE IF NOT EXISTS {{ schema | identifier }}.{{ ledger_table | identifier }} (
    batch_id VARCHAR(256) NOT NULL,
    kind VARCHAR(16) NOT NULL,
    read_from TIMESTAMP NOT NULL,
    read_to TIMESTAMP NOT NULL,
    low TIMESTAMP,
    high TIMESTAMP NOT NULL,
    as_of TIMESTAMP,
    rows_staged BIGINT NOT NULL,
    rows_merged BIGINT NOT NULL,
    rows_stale BIGINT NOT NULL,
    rows_set_aside BIGINT NOT NULL,
    checksum VARCHAR(64) NOT NULL,
    loaded_at TIMESTAMP NOT NULL,
    statement_id VARCHAR(64) NOT NULL,
    PRIMARY KEY (batch_id)
);

-- name: create_tombstones
-- Keys that repair deleted or replaced, and when it had looked: a batch that was read before must not
-- bring them back (protocol rule 4).
{% if key %}
CREATE TABLE IF NOT EXISTS {{ schema | identifier }}.{{ tombstone_table | identifier }} (
{% for column in columns if column.name in key %}
    {{ column.name | identifier }} {{ column.redshift | type }} NOT NULL,
{% endfor %}
    "_read_at" TIMESTAMP NOT NULL
);
{% endif %}

-- name: create_forgotten
-- Whose events deletion requests took, by the SHA-256 of what a column held, and until when they came
-- in: what is loaded later must not bring them back.
{% if forgotten_table %}
CREATE TABLE IF NOT EXISTS {{ schema | identifier }}.{{ forgotten_table | identifier }} (
    person_column VARCHAR(127) NOT NULL,
    digest VARCHAR(64) NOT NULL,
    came_until TIMESTAMP NOT NULL,
    batch_id VARCHAR(256) NOT NULL
);
{% endif %}
