-- now
SELECT UTC_TIMESTAMP(6) AS now

-- read_only
SET SESSION TRANSACTION READ ONLY

-- time_limit
SET SESSION max_statement_time = IF(
    @@max_statement_time > 0, LEAST(@@max_statement_time, 600), 600
)

-- table
SELECT table_type AS kind, engine AS engine, table_rows AS rows_estimate
FROM information_schema.tables
WHERE table_schema = 'sh`op' AND table_name = 'orders.2024'

-- columns
SELECT column_name AS column_name, data_type AS data_type, column_type AS column_type,
       is_nullable AS is_nullable, character_maximum_length AS character_maximum_length,
       character_octet_length AS character_octet_length, numeric_precision AS numeric_precision,
       numeric_scale AS numeric_scale, character_set_name AS character_set_name
FROM information_schema.columns
WHERE table_schema = 'sh`op' AND table_name = 'orders.2024'
ORDER BY ordinal_position

-- indexes
SELECT * FROM information_schema.statistics
WHERE table_schema = 'sh`op' AND table_name = 'orders.2024'
ORDER BY index_name, seq_in_index

-- server
SELECT @@global.read_only AS read_only, @@global.innodb_read_only AS innodb_read_only

-- replica_all
SHOW ALL REPLICAS STATUS

-- replica
SHOW REPLICA STATUS

-- replica_old
SHOW SLAVE STATUS

-- statements
SELECT * FROM information_schema.processlist WHERE id <> CONNECTION_ID()

-- server_zone
SET time_zone = 'SYSTEM'

-- take_turn
SELECT GET_LOCK('tidemark.clock', 30) AS taken

-- open_sentinel
START TRANSACTION WITH CONSISTENT SNAPSHOT

-- transactions
SELECT trx_mysql_thread_id AS thread_id,
       trx_is_read_only AS is_read_only,
       trx_rows_modified AS rows_modified,
       trx_query AS query,
       UNIX_TIMESTAMP(trx_started)
           - IF(FROM_UNIXTIME(UNIX_TIMESTAMP(trx_started) - 3600) = trx_started, 3600, 0) AS started
FROM information_schema.innodb_trx

-- close_sentinel
ROLLBACK

-- end_turn
DO RELEASE_LOCK('tidemark.clock')

-- utc
SET time_zone = '+00:00'

-- has_rows
SELECT EXISTS (SELECT 1 FROM `sh``op`.`orders.2024` WHERE `updated_at` >= '2024-01-01 12:00:00.000001' AND `updated_at` < '2024-01-02 00:00:00.000000') AS answer

-- count_rows
SELECT COUNT(*) AS answer FROM `sh``op`.`orders.2024` WHERE `updated_at` >= '2024-01-01 12:00:00.000001' AND `updated_at` < '2024-01-02 00:00:00.000000'

-- count_null_cursor
SELECT COUNT(*) AS answer FROM `sh``op`.`orders.2024` WHERE `updated_at` IS NULL

-- share
EXPLAIN FORMAT=TRADITIONAL
SELECT 1 FROM `sh``op`.`orders.2024`
UNION ALL SELECT 1 FROM `sh``op`.`orders.2024` FORCE INDEX (`by_time`) WHERE `updated_at` >= '2024-01-01 12:00:00.000001' AND `updated_at` < '2024-01-02 00:00:00.000000'
UNION ALL SELECT 1 FROM `sh``op`.`orders.2024` FORCE INDEX (`by_time`)
WHERE `updated_at` < '2024-01-01 12:00:00.000001'
UNION ALL SELECT 1 FROM `sh``op`.`orders.2024` FORCE INDEX (`by_time`)
WHERE `updated_at` >= '2024-01-02 00:00:00.000000'

-- key_span
SELECT MIN(`tenant`) AS first, MAX(`tenant`) AS last
FROM `sh``op`.`orders.2024`

-- key_estimates
EXPLAIN FORMAT=TRADITIONAL
SELECT 1 FROM `sh``op`.`orders.2024` FORCE INDEX (`by_time`) WHERE TRUE AND (`tenant` < 'T' OR `tenant` = 'T' AND `id` < 1 OR `tenant` = 'T' AND `id` = 1 AND `hash` < X'00') UNION ALL
SELECT 1 FROM `sh``op`.`orders.2024` FORCE INDEX (`by_time`) WHERE TRUE AND (`tenant` > 'T' OR `tenant` = 'T' AND `id` > 1 OR `tenant` = 'T' AND `id` = 1 AND `hash` >= X'00') UNION ALL
SELECT 1 FROM `sh``op`.`orders.2024` WHERE FALSE

-- newest_key
SELECT MAX(`updated_at`) AS answer FROM `sh``op`.`orders.2024`

-- cursor_span
SELECT MIN(`updated_at`) AS first, MAX(`updated_at`) AS last
FROM `sh``op`.`orders.2024` FORCE INDEX (`by_time`)
WHERE `updated_at` >= '2024-01-01 12:00:00.000001'

-- sampled_keys
SELECT DISTINCT `tenant`, `id`, `hash`
FROM (
    (
        SELECT `tenant`, `id`, `hash` FROM `sh``op`.`orders.2024` FORCE INDEX (`by_time`)
        WHERE `updated_at` >= '2024-01-01 00:00:00.000000'
        ORDER BY `updated_at` LIMIT 1
    )
    UNION ALL (
        SELECT `tenant`, `id`, `hash` FROM `sh``op`.`orders.2024` FORCE INDEX (`by_time`)
        WHERE `updated_at` >= '2024-01-02 00:00:00.000000'
        ORDER BY `updated_at` LIMIT 1
    )
) AS sampled
ORDER BY `tenant`, `id`, `hash`

-- next_key
SELECT `tenant`, `id`, `hash`
FROM `sh``op`.`orders.2024` FORCE INDEX (PRIMARY)
WHERE TRUE AND (`tenant` > 'T''1' OR `tenant` = 'T''1' AND `id` > 10 OR `tenant` = 'T''1' AND `id` = 10 AND `hash` >= X'00ff') AND (`tenant` < 'T''1' OR `tenant` = 'T''1' AND `id` < 20 OR `tenant` = 'T''1' AND `id` = 20 AND `hash` < X'0a')
ORDER BY `tenant`, `id`, `hash`
LIMIT 1 OFFSET 5000

-- last_value
SELECT `updated_at` AS answer
FROM `sh``op`.`orders.2024`
WHERE `updated_at` >= '2024-01-01 12:00:00.000001' AND `updated_at` < '2024-01-02 00:00:00.000000'
ORDER BY `updated_at`
LIMIT 1 OFFSET 4999

-- next_boundary
SELECT `updated_at` AS answer
FROM `sh``op`.`orders.2024`
WHERE `updated_at` >= '2024-01-01 12:00:00.000001' AND `updated_at` < '2024-01-02 00:00:00.000000'
ORDER BY `updated_at`
LIMIT 1 OFFSET 5000

-- next_value
SELECT MIN(`updated_at`) AS answer
FROM `sh``op`.`orders.2024`
WHERE `updated_at` > '2024-01-01 12:00:00.000001' AND `updated_at` >= '2024-01-01 12:00:00.000001' AND `updated_at` < '2024-01-02 00:00:00.000000'

-- hash_key
SET @tidemark_inner = UNHEX('36'),
    @tidemark_outer = UNHEX('5c')

-- isolate
SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ

-- open_snapshot
START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY

-- rows
SELECT `id`, CAST(`flags` AS UNSIGNED), `weight` * 1E0, SHA2(CONCAT(@tidemark_outer, UNHEX(SHA2(CONCAT(@tidemark_inner, CAST(CONVERT(`mail` USING utf8mb4) AS BINARY)), 256))), 256), SHA2(CONCAT(@tidemark_outer, UNHEX(SHA2(CONCAT(@tidemark_inner, CAST(`raw` AS BINARY)), 256))), 256)
FROM `sh``op`.`orders.2024` FORCE INDEX (`by_time`)
WHERE `updated_at` >= '2024-01-01 12:00:00.000001' AND `updated_at` < '2024-01-02 00:00:00.000000' AND (`tenant` > 'T''1' OR `tenant` = 'T''1' AND `id` > 10 OR `tenant` = 'T''1' AND `id` = 10 AND `hash` >= X'00ff') AND (`tenant` < 'T''1' OR `tenant` = 'T''1' AND `id` < 20 OR `tenant` = 'T''1' AND `id` = 20 AND `hash` < X'0a') AND (`Country` IN ( 'DE' , 'L''x' ) AND `odd name` > - 1.5 AND LOWER( `state` ) LIKE '5\\%')

-- stop
KILL 42

-- rows, every bound open
SELECT `id`, CAST(`flags` AS UNSIGNED), `weight` * 1E0, SHA2(CONCAT(@tidemark_outer, UNHEX(SHA2(CONCAT(@tidemark_inner, CAST(CONVERT(`mail` USING utf8mb4) AS BINARY)), 256))), 256), SHA2(CONCAT(@tidemark_outer, UNHEX(SHA2(CONCAT(@tidemark_inner, CAST(`raw` AS BINARY)), 256))), 256)
FROM `sh``op`.`orders.2024`
WHERE TRUE

-- rows, one key column
SELECT `id`, CAST(`flags` AS UNSIGNED), `weight` * 1E0, SHA2(CONCAT(@tidemark_outer, UNHEX(SHA2(CONCAT(@tidemark_inner, CAST(CONVERT(`mail` USING utf8mb4) AS BINARY)), 256))), 256), SHA2(CONCAT(@tidemark_outer, UNHEX(SHA2(CONCAT(@tidemark_inner, CAST(`raw` AS BINARY)), 256))), 256)
FROM `sh``op`.`orders.2024` FORCE INDEX (`PRIMARY`)
WHERE `updated_at` >= '2024-01-01 12:00:00.000001' AND `updated_at` < '2024-01-02 00:00:00.000000' AND (`id` >= 10) AND (`id` < 20) AND (`Country` IN ( 'DE' , 'L''x' ) AND `odd name` > - 1.5 AND LOWER( `state` ) LIKE '5\\%')

-- time_limit, MySQL
SET SESSION max_execution_time = CAST(IF(
    @@max_execution_time > 0,
    LEAST(@@max_execution_time, 600 * 1000), 600 * 1000
) AS UNSIGNED)

