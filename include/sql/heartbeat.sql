-- A source's heartbeat: one row that is written anew every minute and travels like any other.

-- name: create
-- last_heartbeat is the table's cursor: it moves with every write, by the server's own clock.
CREATE TABLE IF NOT EXISTS {{ schema | identifier }}.{{ table | identifier }} (
    node_id VARCHAR(64) NOT NULL PRIMARY KEY,
    node_type VARCHAR(32) NOT NULL,
    last_heartbeat DATETIME(6) NOT NULL,
    write_sequence BIGINT NOT NULL,
    KEY (last_heartbeat)
);

-- name: beat
INSERT INTO {{ schema | identifier }}.{{ table | identifier }}
    (node_id, node_type, last_heartbeat, write_sequence)
VALUES ({{ node | literal }}, 'source', UTC_TIMESTAMP(6), 1)
ON DUPLICATE KEY UPDATE last_heartbeat = UTC_TIMESTAMP(6), write_sequence = write_sequence + 1;

-- name: read
-- Also what a target is asked, where the row came with everything else.
SELECT last_heartbeat, write_sequence
FROM {{ schema | identifier }}.{{ table | identifier }}
WHERE node_id = {{ node | literal }};
