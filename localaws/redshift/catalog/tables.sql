-- The views that show tables and columns as Redshift does.
-- Run at every start, in each cluster's database, by the superuser; every statement may run again.
SET allow_system_table_mods = on;

-- The name of a type as Redshift's catalogue shows it, from the engine's.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_type(type oid, modifier integer) RETURNS text
  LANGUAGE sql STABLE AS $$
    SELECT CASE type
      WHEN 'bytea'::regtype THEN 'binary varying'
      ELSE format_type(type, modifier)
    END
  $$;

-- https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_TABLES.html
DROP VIEW IF EXISTS pg_catalog.svv_tables;
CREATE VIEW pg_catalog.svv_tables AS
  SELECT redshift_database()::varchar(128) AS table_catalog,
         n.nspname::varchar(128) AS table_schema,
         c.relname::varchar(128) AS table_name,
         CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'BASE TABLE' END::varchar(128) AS table_type,
         obj_description(c.oid, 'pg_class')::varchar(128) AS remarks
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'v') AND n.nspname NOT IN ('localaws', 'pg_toast');

-- https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_COLUMNS.html
DROP VIEW IF EXISTS pg_catalog.svv_columns;
CREATE VIEW pg_catalog.svv_columns AS
  SELECT redshift_database()::varchar(128) AS table_catalog,
         n.nspname::varchar(128) AS table_schema,
         c.relname::varchar(128) AS table_name,
         a.attname::varchar(128) AS column_name,
         a.attnum::integer AS ordinal_position,
         pg_get_expr(d.adbin, d.adrelid)::varchar(4000) AS column_default,
         CASE WHEN a.attnotnull THEN 'NO' ELSE 'YES' END::varchar(3) AS is_nullable,
         redshift_type(a.atttypid, NULL)::varchar(128) AS data_type,
         CASE WHEN a.atttypid IN ('varchar'::regtype, 'bpchar'::regtype) THEN a.atttypmod - 4
              WHEN a.atttypid = 'bytea'::regtype THEN (
                SELECT split_part(k.conname, '_', 2)::integer FROM pg_constraint k
                 WHERE k.conrelid = c.oid AND k.conkey = ARRAY[a.attnum] AND k.conname LIKE 'bytes\_%'
                 LIMIT 1)
         END::integer AS character_maximum_length,
         information_schema._pg_numeric_precision(a.atttypid, a.atttypmod)::integer AS numeric_precision,
         information_schema._pg_numeric_precision_radix(a.atttypid, a.atttypmod)::integer
           AS numeric_precision_radix,
         information_schema._pg_numeric_scale(a.atttypid, a.atttypmod)::integer AS numeric_scale,
         information_schema._pg_datetime_precision(a.atttypid, a.atttypmod)::integer
           AS datetime_precision,
         col_description(c.oid, a.attnum)::varchar(256) AS remarks
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
   WHERE c.relkind IN ('r', 'v') AND a.attnum > 0 AND NOT a.attisdropped
     AND n.nspname NOT IN ('localaws', 'pg_toast');

-- Tables of the search path only: https://docs.aws.amazon.com/redshift/latest/dg/r_PG_TABLE_DEF.html
-- Encodings and keys are not kept by the stand-in, so those columns are empty.
DROP VIEW IF EXISTS pg_catalog.pg_table_def;
CREATE VIEW pg_catalog.pg_table_def AS
  SELECT n.nspname AS schemaname, c.relname AS tablename, a.attname AS "column",
         redshift_type(a.atttypid, a.atttypmod) AS type,
         NULL::text AS encoding, NULL::boolean AS distkey, NULL::integer AS sortkey,
         a.attnotnull AS "notnull"
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
     AND (n.nspname = ANY (current_schemas(false)) OR n.oid = pg_my_temp_schema())
   ORDER BY n.nspname, c.relname, a.attnum;
