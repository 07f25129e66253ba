-- tables
SELECT table_schema AS db_schema, table_name AS table_name, table_type AS kind, engine AS engine,
       table_rows AS rows_estimate, data_length AS bytes_estimate
FROM information_schema.tables
WHERE table_schema NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys') AND table_schema = 'sh''op'
ORDER BY table_schema, table_name

-- columns
SELECT table_schema AS db_schema, table_name AS table_name, column_name AS column_name,
       data_type AS data_type, column_type AS column_type, is_nullable AS is_nullable,
       character_maximum_length AS character_maximum_length,
       character_octet_length AS character_octet_length, numeric_precision AS numeric_precision,
       numeric_scale AS numeric_scale, character_set_name AS character_set_name, extra AS extra
FROM information_schema.columns
WHERE table_schema NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys') AND table_schema = 'sh''op'
ORDER BY table_schema, table_name, ordinal_position

-- indexes
SELECT table_schema AS db_schema, table_name AS table_name, index_name AS index_name,
       column_name AS column_name, non_unique AS non_unique, nullable AS nullable,
       sub_part AS prefix_length
FROM information_schema.statistics
WHERE table_schema NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys') AND table_schema = 'sh''op'
ORDER BY table_schema, table_name, index_name, seq_in_index

