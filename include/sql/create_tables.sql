-- Create a copied table and its ledger on a target. Safe to repeat; never destructive.

-- name: create_table
-- The key is informational in Redshift: it helps the planner and is not enforced. Every other column
-- may be NULL, whatever the source says: Redshift cannot take a NOT NULL back, and what the source
-- drops is NULL from then on.
CREATE TABLE IF NOT EXISTS {{ schema | identifier }}.{{ table | identifier }} (
{% for column in columns %}
    {{ column.name | identifier }} {{ column.redshift }}{{ " NOT NULL" if column.name in key or column.name in lineage }},
{% endfor %}
    "_loaded_at" TIMESTAMP NOT NULL,
    PRIMARY KEY ({{ key | identifiers }})
)
{% if dist_key %}
DISTSTYLE KEY DISTKEY ({{ dist_key | identifier }})
{% endif %}
{% if sort_keys %}
SORTKEY ({{ sort_keys | identifiers }})
{% endif %};

-- name: create_ledger
CREATE TABLE IF NOT EXISTS {{ schema | identifier }}.{{ ledger_table | identifier }} (
    batch_id VARCHAR(256) NOT NULL,
    kind VARCHAR(16) NOT NULL,
    low TIMESTAMP,
    high TIMESTAMP NOT NULL,
    as_of TIMESTAMP,
    rows_staged BIGINT NOT NULL,
    rows_merged BIGINT NOT NULL,
    rows_stale BIGINT NOT NULL,
    checksum VARCHAR(64) NOT NULL,
    loaded_at TIMESTAMP NOT NULL,
    statement_id VARCHAR(64) NOT NULL,
    PRIMARY KEY (batch_id)
);
