-- What is kept about loads.
-- Run at every start, in each cluster's database, by the superuser; every statement may run again.
SET allow_system_table_mods = on;

-- Why a COPY failed. Written on a connection of its own, so that the rows survive the rollback.
CREATE SCHEMA IF NOT EXISTS localaws;
CREATE TABLE IF NOT EXISTS localaws.load_errors (
  recorded_at timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'UTC'),
  query bigint NOT NULL, session integer NOT NULL, table_id bigint NOT NULL,
  file_name varchar(512) NOT NULL, column_name varchar(127) NOT NULL,
  column_type varchar(64) NOT NULL, column_length varchar(10) NOT NULL,
  error_code integer NOT NULL, error_message varchar(512) NOT NULL
);

-- https://docs.aws.amazon.com/redshift/latest/dg/r_STL_LOAD_ERRORS.html
DROP VIEW IF EXISTS pg_catalog.stl_load_errors;
CREATE VIEW pg_catalog.stl_load_errors AS
  SELECT 100 AS userid, 0 AS slice, table_id::integer AS tbl, recorded_at AS starttime, session,
         query::integer AS query, file_name::char(256) AS filename, 0::bigint AS line_number,
         column_name::char(127) AS colname, column_type::char(10) AS type,
         column_length::char(10) AS col_length, 0 AS position, ''::char(1024) AS raw_line,
         ''::char(1024) AS raw_field_value, error_code AS err_code,
         error_message::char(100) AS err_reason, 0 AS is_partial, 0 AS start_offset
    FROM localaws.load_errors;

-- https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_ERROR_DETAIL.html
DROP VIEW IF EXISTS pg_catalog.sys_load_error_detail;
CREATE VIEW pg_catalog.sys_load_error_detail AS
  SELECT 100 AS user_id, query AS query_id, 0::bigint AS transaction_id, session AS session_id,
         redshift_database()::char(64) AS database_name,
         table_id::integer AS table_id, recorded_at AS start_time, file_name::char(256) AS file_name,
         0::bigint AS line_number, column_name::char(127) AS column_name,
         column_type::char(10) AS column_type, column_length::char(10) AS column_length,
         0 AS position, error_code AS error_code, error_message::char(512) AS error_message
    FROM localaws.load_errors;
