-- create
CREATE TABLE IF NOT EXISTS `sh``op`.`_heartbeat` (
    node_id VARCHAR(64) NOT NULL PRIMARY KEY,
    node_type VARCHAR(32) NOT NULL,
    last_heartbeat DATETIME(6) NOT NULL,
    write_sequence BIGINT NOT NULL,
    KEY (last_heartbeat)
)

-- beat
INSERT INTO `sh``op`.`_heartbeat`
    (node_id, node_type, last_heartbeat, write_sequence)
VALUES ('tidemark', 'source', UTC_TIMESTAMP(6), 1)
ON DUPLICATE KEY UPDATE last_heartbeat = UTC_TIMESTAMP(6), write_sequence = write_sequence + 1

-- read
SELECT last_heartbeat, write_sequence
FROM `sh``op`.`_heartbeat`
WHERE node_id = 'tidemark'
