-- What is kept about loads and unloads.
-- Run at every start, in each cluster's database, by the superuser; every statement may run again.
SET allow_system_table_mods = on;
CREATE SCHEMA IF NOT EXISTS localaws;

-- Every row is written twice: by a connection of its own, so that it outlives a rollback and others
-- see it at once, and by the transaction that loads, so that its own statements see it too. `id` is
-- the same in both; the views show the later one.
DROP VIEW IF EXISTS localaws.known_loads, localaws.known_files, localaws.known_errors CASCADE;
DO $$
BEGIN
  IF to_regclass('localaws.load_errors') IS NULL THEN
    RETURN;
  END IF;
  PERFORM FROM pg_attribute
    WHERE attrelid = to_regclass('localaws.load_errors') AND attname = 'id';
  IF NOT FOUND THEN
    DROP TABLE localaws.load_errors CASCADE;  -- of a version before the rows had identifiers
  END IF;
END
$$;
CREATE TABLE IF NOT EXISTS localaws.loads (
  id uuid NOT NULL, query bigint NOT NULL, session integer NOT NULL, transaction_id bigint NOT NULL,
  statement text NOT NULL, table_id bigint NOT NULL, table_name text NOT NULL,
  location text NOT NULL, file_format text NOT NULL, status text NOT NULL,
  started_at timestamp NOT NULL, ended_at timestamp,
  rows bigint NOT NULL, bytes bigint NOT NULL, files integer NOT NULL, errors bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS localaws.load_files (
  id uuid NOT NULL, load uuid NOT NULL, query bigint NOT NULL, file_name text NOT NULL,
  rows bigint NOT NULL, bytes bigint NOT NULL,
  started_at timestamp NOT NULL, ended_at timestamp NOT NULL
);
CREATE TABLE IF NOT EXISTS localaws.load_errors (
  id uuid NOT NULL, load uuid NOT NULL, query bigint NOT NULL, recorded_at timestamp NOT NULL,
  file_name text NOT NULL, line bigint NOT NULL, column_name text NOT NULL,
  column_type text NOT NULL, column_length text NOT NULL, position integer NOT NULL,
  raw_line text NOT NULL, raw_value text NOT NULL, parsed text[] NOT NULL,
  code integer NOT NULL, reason text NOT NULL
);
-- A stand-in that was killed leaves loads that nobody will end. Redshift keeps its log tables for
-- seven days: https://docs.aws.amazon.com/redshift/latest/dg/c_intro_STL_tables.html
UPDATE localaws.loads SET status = 'aborted', ended_at = now() AT TIME ZONE 'UTC'
 WHERE status = 'running';
DELETE FROM localaws.load_errors WHERE recorded_at < now() AT TIME ZONE 'UTC' - interval '7 days';
DELETE FROM localaws.load_files WHERE ended_at < now() AT TIME ZONE 'UTC' - interval '7 days';
DELETE FROM localaws.loads WHERE ended_at < now() AT TIME ZONE 'UTC' - interval '7 days';

CREATE VIEW localaws.known_loads AS
  SELECT DISTINCT ON (id) * FROM localaws.loads ORDER BY id, ended_at DESC NULLS LAST;
CREATE VIEW localaws.known_files AS
  SELECT DISTINCT ON (id) * FROM localaws.load_files ORDER BY id;
CREATE VIEW localaws.known_errors AS
  SELECT DISTINCT ON (e.id) e.*, l.session, l.transaction_id, l.table_id
    FROM localaws.load_errors e JOIN localaws.loads l ON l.id = e.load ORDER BY e.id;

-- https://docs.aws.amazon.com/redshift/latest/dg/r_STL_LOAD_ERRORS.html
CREATE VIEW pg_catalog.stl_load_errors AS
  SELECT 100 AS userid, 0 AS slice, table_id::integer AS tbl, recorded_at AS starttime, session,
         query::integer AS query, file_name::char(256) AS filename, line AS line_number,
         column_name::char(127) AS colname, column_type::char(10) AS type,
         column_length::char(10) AS col_length, position,
         raw_line::char(1024) AS raw_line, raw_value::char(1024) AS raw_field_value,
         code AS err_code, reason::char(100) AS err_reason, 0 AS is_partial, 0 AS start_offset,
         0::bigint AS copy_job_id
    FROM localaws.known_errors;

-- https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_ERROR_DETAIL.html
CREATE VIEW pg_catalog.sys_load_error_detail AS
  SELECT 100 AS user_id, query AS query_id, transaction_id, session AS session_id,
         redshift_database()::char(64) AS database_name,
         table_id::integer AS table_id, recorded_at AS start_time, file_name::char(256) AS file_name,
         line AS line_number, column_name::char(127) AS column_name,
         column_type::char(10) AS column_type, column_length::char(10) AS column_length,
         position, code AS error_code, reason::char(512) AS error_message, 0::bigint AS copy_job_id
    FROM localaws.known_errors;

-- https://docs.aws.amazon.com/redshift/latest/dg/r_STL_LOADERROR_DETAIL.html
-- At most 20 errors of a load; one row for each value up to the bad one.
CREATE VIEW pg_catalog.stl_loaderror_detail AS
  SELECT 100 AS userid, 0 AS slice, e.session, e.query::integer AS query,
         e.file_name::char(256) AS filename, e.line AS line_number, 0 AS field,
         a.attname::char(1024) AS colname, v.value::char(1024) AS value,
         CASE WHEN v.number = cardinality(e.parsed) THEN 1 ELSE 0 END AS is_null,
         e.column_type::char(10) AS type, e.column_length::char(10) AS col_length
    FROM (SELECT *, row_number() OVER (PARTITION BY load ORDER BY recorded_at, line) AS place
            FROM localaws.known_errors) e
   CROSS JOIN LATERAL unnest(e.parsed) WITH ORDINALITY AS v (value, number)
    LEFT JOIN pg_attribute a ON a.attrelid = e.table_id::oid AND a.attnum = v.number
   WHERE e.place <= 20;

-- https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_HISTORY.html
CREATE VIEW pg_catalog.sys_load_history AS
  SELECT 100 AS user_id, query AS query_id, transaction_id, session AS session_id,
         redshift_database() AS database_name, status, table_name, started_at AS start_time,
         ended_at AS end_time,
         (extract(epoch FROM coalesce(ended_at, clock_timestamp() AT TIME ZONE 'UTC') - started_at)
           * 1000000)::bigint AS duration,
         location AS data_source, file_format, rows AS loaded_rows, bytes AS loaded_bytes,
         files AS source_file_count, bytes AS source_file_bytes, files AS file_count_scanned,
         bytes AS file_bytes_scanned, errors AS error_count, 0::bigint AS copy_job_id
    FROM localaws.known_loads WHERE statement = 'COPY';

-- https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_DETAIL.html
CREATE VIEW pg_catalog.sys_load_detail AS
  SELECT 100 AS user_id, f.query AS query_id, f.file_name::char(256) AS file_name,
         f.bytes::integer AS bytes_scanned, f.rows::integer AS lines_scanned,
         f.ended_at AS record_time, 1 AS splits_scanned, f.started_at AS start_time,
         f.ended_at AS end_time
    FROM localaws.known_files f JOIN localaws.known_loads l ON l.id = f.load
   WHERE l.statement = 'COPY';

-- https://docs.aws.amazon.com/redshift/latest/dg/r_STL_LOAD_COMMITS.html
CREATE VIEW pg_catalog.stl_load_commits AS
  SELECT 100 AS userid, f.query::integer AS query, 0 AS slice, f.file_name::char(256) AS name,
         f.file_name::char(256) AS filename, f.bytes::integer AS byte_offset,
         f.rows::integer AS lines_scanned, 0 AS errors, f.ended_at AS curtime, 1 AS status,
         l.file_format::char(16) AS file_format, 0 AS is_partial, 0::bigint AS start_offset,
         0::bigint AS copy_job_id
    FROM localaws.known_files f JOIN localaws.known_loads l ON l.id = f.load
   WHERE l.statement = 'COPY';

-- https://docs.aws.amazon.com/redshift/latest/dg/r_STL_UNLOAD_LOG.html
CREATE VIEW pg_catalog.stl_unload_log AS
  SELECT 100 AS userid, f.query::integer AS query, 0 AS slice, l.session AS pid,
         f.file_name::char(1280) AS path, f.started_at AS start_time, f.ended_at AS end_time,
         f.rows AS line_count, f.bytes AS transfer_size, l.file_format::char(10) AS file_format
    FROM localaws.known_files f JOIN localaws.known_loads l ON l.id = f.load
   WHERE l.statement = 'UNLOAD';

-- https://docs.aws.amazon.com/redshift/latest/dg/SYS_UNLOAD_HISTORY.html
CREATE VIEW pg_catalog.sys_unload_history AS
  SELECT 100 AS user_id, query AS query_id, transaction_id, session AS session_id,
         redshift_database() AS database_name, status, started_at AS start_time,
         ended_at AS end_time,
         (extract(epoch FROM coalesce(ended_at, clock_timestamp() AT TIME ZONE 'UTC') - started_at)
           * 1000000)::bigint AS duration,
         location AS unload_location, file_format, ''::text AS compression_type,
         rows AS unloaded_rows, bytes AS unloaded_files_size, files AS unloaded_files_count
    FROM localaws.known_loads WHERE statement = 'UNLOAD';

-- https://docs.aws.amazon.com/redshift/latest/dg/SYS_UNLOAD_DETAIL.html
CREATE VIEW pg_catalog.sys_unload_detail AS
  SELECT 100 AS user_id, f.query AS query_id, l.transaction_id, l.session AS session_id,
         f.file_name::char(1280) AS file_name, f.started_at AS start_time,
         f.ended_at AS end_time, f.rows AS line_count, f.bytes AS transfer_size,
         l.file_format::char(10) AS file_format
    FROM localaws.known_files f JOIN localaws.known_loads l ON l.id = f.load
   WHERE l.statement = 'UNLOAD';

-- Of the session, as its settings have it: COPY and UNLOAD write them there.
-- https://docs.aws.amazon.com/redshift/latest/dg/PG_LAST_COPY_ID.html and its neighbours
CREATE OR REPLACE FUNCTION pg_catalog.pg_last_copy_id() RETURNS integer
  LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('localaws.last_copy_id', true), '')::integer, -1) $$;
CREATE OR REPLACE FUNCTION pg_catalog.pg_last_copy_count() RETURNS bigint
  LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('localaws.last_copy_count', true), '')::bigint, 0) $$;
CREATE OR REPLACE FUNCTION pg_catalog.pg_last_unload_id() RETURNS integer
  LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('localaws.last_unload_id', true), '')::integer, -1) $$;
CREATE OR REPLACE FUNCTION pg_catalog.pg_last_unload_count() RETURNS bigint
  LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('localaws.last_unload_count', true), '')::bigint, 0) $$;
