-- The views that show tables and columns as Redshift does.
-- Run at every start, in each cluster's database, by the superuser; every statement may run again.
SET allow_system_table_mods = on;

-- How many bytes a column takes: the engine's types do not say it of VARBYTE.
CREATE OR REPLACE FUNCTION localaws.byte_length(relation oid, number smallint, type oid, modifier integer)
  RETURNS integer LANGUAGE sql STABLE AS $$
    SELECT CASE
      WHEN type IN ('varchar'::regtype, 'bpchar'::regtype) AND modifier >= 4 THEN modifier - 4
      WHEN type = 'bytea'::regtype THEN (
        SELECT split_part(k.conname, '_', 2)::integer FROM pg_constraint k
         WHERE k.conrelid = relation AND k.conkey = ARRAY[number] AND k.conname LIKE 'bytes\_%' LIMIT 1)
    END
  $$;

-- The name of a type as Redshift's catalogue shows it, from the engine's.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_type(type oid, modifier integer) RETURNS text
  LANGUAGE sql STABLE AS $$
    SELECT CASE type
      WHEN 'bytea'::regtype THEN 'binary varying'
      WHEN 'text'::regtype THEN 'character varying'
      ELSE format_type(type, modifier)
    END
  $$;

-- Every column a client may see, with what only Redshift knows of it.
CREATE OR REPLACE FUNCTION localaws.columns() RETURNS TABLE (
  relation oid, kind "char", persistence "char", tuples real, schema_name text, table_name text,
  column_name text, number smallint, type oid, modifier integer, not_null boolean, length integer,
  column_default text, encoding text, distkey boolean, sortkey integer, attributes jsonb
) LANGUAGE sql STABLE AS $$
  SELECT c.oid, c.relkind, c.relpersistence, c.reltuples, localaws.in_full(n.nspname),
         localaws.in_full(c.relname), localaws.in_full(a.attname), a.attnum,
         a.atttypid, a.atttypmod, a.attnotnull,
         localaws.byte_length(c.oid, a.attnum, a.atttypid, a.atttypmod),
         -- As https://github.com/awslabs/amazon-redshift-utils (v_generate_tbl_ddl.sql) reads it.
         CASE a.attidentity
           WHEN '' THEN replace(pg_get_expr(d.adbin, 0), 'redshift_sysdate()', 'sysdate')
           ELSE format('%s(%s, %s, ''%s,%s''::text)',
                       CASE a.attidentity WHEN 'a' THEN '"identity"' ELSE 'default_identity' END,
                       c.oid, a.attnum - 1, s.seqstart, s.seqincrement)
         END,
         -- pg_table_def shows RAW as "none": https://docs.aws.amazon.com/redshift/latest/dg/r_PG_TABLE_DEF.html
         coalesce(nullif(t.kept -> 'encodings' ->> a.attnum::text, 'raw'), 'none'),
         coalesce((t.kept ->> 'distkey')::integer = a.attnum, false),
         coalesce((
           SELECT k.position::integer
                  -- alternately negative in an interleaved key (same page)
                  * CASE WHEN t.kept ->> 'sortstyle' = 'interleaved' AND k.position % 2 = 1
                         THEN -1 ELSE 1 END
             FROM jsonb_array_elements_text(t.kept -> 'sortkey') WITH ORDINALITY k (number, position)
            WHERE k.number::integer = a.attnum), 0),
         t.kept
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid
    CROSS JOIN LATERAL (SELECT localaws.attributes(c.oid)) t (kept)
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    LEFT JOIN pg_depend p ON a.attidentity <> '' AND p.refobjid = c.oid AND p.refobjsubid = a.attnum
          AND p.refclassid = 'pg_class'::regclass AND p.classid = 'pg_class'::regclass
          AND p.deptype = 'i'
    LEFT JOIN pg_sequence s ON s.seqrelid = p.objid
   WHERE c.relkind IN ('r', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped
     AND n.nspname NOT IN ('localaws', 'pg_toast')
     AND (c.relpersistence <> 't' OR pg_my_temp_schema() = n.oid)
$$;

-- https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_TABLES.html
DROP VIEW IF EXISTS pg_catalog.svv_tables CASCADE;
CREATE VIEW pg_catalog.svv_tables AS
  SELECT redshift_database()::varchar(128) AS table_catalog,
         localaws.in_full(n.nspname)::varchar(128) AS table_schema,
         localaws.in_full(c.relname)::varchar(128) AS table_name,
         CASE WHEN c.relkind IN ('v', 'm') THEN 'VIEW' ELSE 'BASE TABLE' END::varchar(128) AS table_type,
         obj_description(c.oid, 'pg_class')::varchar(128) AS remarks
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'v', 'm') AND n.nspname NOT IN ('localaws', 'pg_toast')
     AND (c.relpersistence <> 't' OR pg_my_temp_schema() = n.oid);

-- https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_COLUMNS.html
DROP VIEW IF EXISTS pg_catalog.svv_columns CASCADE;
CREATE VIEW pg_catalog.svv_columns AS
  SELECT redshift_database()::varchar(128) AS table_catalog,
         schema_name::varchar(128) AS table_schema, table_name::varchar(128) AS table_name,
         column_name::varchar(128) AS column_name, number::integer AS ordinal_position,
         column_default::varchar(4000) AS column_default,
         CASE WHEN not_null THEN 'NO' ELSE 'YES' END::varchar(3) AS is_nullable,
         redshift_type(type, NULL)::varchar(128) AS data_type,
         length::integer AS character_maximum_length,
         information_schema._pg_numeric_precision(type, modifier)::integer AS numeric_precision,
         information_schema._pg_numeric_precision_radix(type, modifier)::integer
           AS numeric_precision_radix,
         information_schema._pg_numeric_scale(type, modifier)::integer AS numeric_scale,
         information_schema._pg_datetime_precision(type, modifier)::integer AS datetime_precision,
         col_description(relation, number)::varchar(256) AS remarks
    FROM localaws.columns();

-- Tables of the search path only: https://docs.aws.amazon.com/redshift/latest/dg/r_PG_TABLE_DEF.html
DROP VIEW IF EXISTS pg_catalog.pg_table_def CASCADE;
CREATE VIEW pg_catalog.pg_table_def AS
  SELECT schema_name::varchar(127) AS schemaname, table_name::varchar(127) AS tablename,
         column_name::varchar(127) AS "column",
         redshift_type(type, modifier)
           || CASE WHEN type = 'bytea'::regtype AND length IS NOT NULL THEN format('(%s)', length)
                   ELSE '' END AS type,
         encoding::char(32) AS encoding, distkey, sortkey, not_null AS "notnull"
    FROM localaws.columns()
   WHERE kind = 'r'
     AND (schema_name = ANY (current_schemas(false)::text[])
          OR schema_name = pg_my_temp_schema()::regnamespace::text)
   ORDER BY schema_name, table_name, number;

-- https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_TABLE_INFO.html ; empty tables are left out,
-- and rows are counted, not estimated.
CREATE OR REPLACE FUNCTION localaws.count_rows(relation oid) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
  DECLARE counted bigint;
  BEGIN EXECUTE format('SELECT count(*) FROM %s', relation::regclass) INTO counted; RETURN counted; END $$;
CREATE OR REPLACE FUNCTION localaws.dist_style(attributes jsonb, distkey text) RETURNS text
  LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE attributes ->> 'diststyle'
      WHEN 'key' THEN format('KEY(%s)', distkey) WHEN 'even' THEN 'EVEN' WHEN 'all' THEN 'ALL'
      ELSE 'AUTO(ALL)' END
  $$;
DROP VIEW IF EXISTS pg_catalog.svv_table_info CASCADE;
CREATE VIEW pg_catalog.svv_table_info AS
  SELECT redshift_database() AS database, t.schema_name::text AS schema, t.relation AS table_id,
         t.table_name::text AS "table",
         t.encoded || CASE WHEN t.attributes ->> 'encode_auto' = 'false' THEN '' ELSE ', AUTO(ENCODE)' END
           AS encoded,
         localaws.dist_style(t.attributes, t.distkey) AS diststyle,
         CASE WHEN coalesce(t.attributes ->> 'sortstyle', 'auto') = 'auto'
              THEN 'AUTO(SORTKEY' || coalesce('(' || t.sortkey1 || ')', '') || ')'
              ELSE t.sortkey1::text END AS sortkey1,
         coalesce(t.max_varchar, 0) AS max_varchar,
         t.sortkey1_enc::char(32) AS sortkey1_enc, t.sortkey_num::integer AS sortkey_num,
         -- in blocks of 1 MB
         greatest(pg_total_relation_size(t.relation) / 1048576, 1)::bigint AS size,
         0::numeric(10, 4) AS pct_used, 0::bigint AS empty, 0::numeric(5, 2) AS unsorted,
         0::numeric(5, 2) AS stats_off, r.tbl_rows::numeric(38, 0) AS tbl_rows,
         NULL::numeric(19, 2) AS skew_sortkey1, NULL::numeric(19, 2) AS skew_rows,
         r.tbl_rows::numeric(38, 0) AS estimated_visible_rows, NULL::text AS risk_event,
         NULL::numeric(19, 2) AS vacuum_sort_benefit
    FROM (
      SELECT relation, schema_name, table_name, attributes,
             CASE WHEN bool_or(encoding <> 'none') THEN 'Y' ELSE 'N' END AS encoded,
             max(column_name) FILTER (WHERE distkey) AS distkey,
             max(column_name) FILTER (WHERE abs(sortkey) = 1) AS sortkey1,
             max(encoding) FILTER (WHERE abs(sortkey) = 1) AS sortkey1_enc,
             count(*) FILTER (WHERE sortkey <> 0) AS sortkey_num,
             max(length) FILTER (WHERE type = 'varchar'::regtype) AS max_varchar
        FROM localaws.columns()
       WHERE kind = 'r' AND schema_name NOT IN ('pg_catalog', 'information_schema')
       GROUP BY relation, schema_name, table_name, attributes) t
   CROSS JOIN LATERAL (SELECT localaws.count_rows(t.relation)) r (tbl_rows)
   WHERE r.tbl_rows > 0;

-- https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_REDSHIFT_COLUMNS.html
DROP VIEW IF EXISTS pg_catalog.svv_redshift_columns CASCADE;
CREATE VIEW pg_catalog.svv_redshift_columns AS
  SELECT redshift_database()::varchar(128) AS database_name,
         schema_name::varchar(128) AS schema_name, table_name::varchar(128) AS table_name,
         column_name::varchar(128) AS column_name, number::integer AS ordinal_position,
         (redshift_type(type, modifier)
           || CASE WHEN type = 'bytea'::regtype AND length IS NOT NULL THEN format('(%s)', length)
                   ELSE '' END)::varchar(32) AS data_type,
         column_default::varchar(4000) AS column_default,
         CASE WHEN not_null THEN 'NO' ELSE 'YES' END::varchar(3) AS is_nullable,
         encoding::varchar(128) AS encoding, distkey, sortkey,
         NULL::varchar(128) AS column_acl, col_description(relation, number)::varchar(256) AS remarks
    FROM localaws.columns();

-- https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_ALL_COLUMNS.html
DROP VIEW IF EXISTS pg_catalog.svv_all_columns CASCADE;
CREATE VIEW pg_catalog.svv_all_columns AS
  SELECT table_catalog AS database_name, table_schema AS schema_name, table_name, column_name,
         ordinal_position, column_default, is_nullable, data_type, character_maximum_length,
         numeric_precision, numeric_scale, remarks
    FROM pg_catalog.svv_columns;

-- https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_REDSHIFT_TABLES.html
-- https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_ALL_TABLES.html (the same columns)
DROP VIEW IF EXISTS pg_catalog.svv_redshift_tables CASCADE;
CREATE VIEW pg_catalog.svv_redshift_tables AS
  SELECT table_catalog AS database_name, table_schema AS schema_name, table_name,
         CASE table_type WHEN 'VIEW' THEN 'VIEW' ELSE 'TABLE' END::varchar(128) AS table_type,
         NULL::varchar(128) AS table_acl, remarks
    FROM pg_catalog.svv_tables;
DROP VIEW IF EXISTS pg_catalog.svv_all_tables CASCADE;
CREATE VIEW pg_catalog.svv_all_tables AS SELECT * FROM pg_catalog.svv_redshift_tables;

-- https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_REDSHIFT_SCHEMAS.html
DROP VIEW IF EXISTS pg_catalog.svv_redshift_schemas CASCADE;
CREATE VIEW pg_catalog.svv_redshift_schemas AS
  SELECT redshift_database()::varchar(128) AS database_name, localaws.in_full(nspname)::varchar(128) AS schema_name,
         100 AS schema_owner, 'local'::varchar(16) AS schema_type, NULL::varchar(128) AS schema_acl,
         NULL::varchar(128) AS schema_option
    FROM pg_namespace
   WHERE nspname <> 'localaws' AND nspname NOT SIMILAR TO 'pg\_(toast|temp)%';
-- https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_ALL_SCHEMAS.html
DROP VIEW IF EXISTS pg_catalog.svv_all_schemas CASCADE;
CREATE VIEW pg_catalog.svv_all_schemas AS
  SELECT database_name, schema_name, schema_owner, schema_type::varchar(128) AS schema_type,
         schema_acl, NULL::varchar(128) AS source_database, schema_option::varchar(256) AS schema_option
    FROM pg_catalog.svv_redshift_schemas;
-- https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_REDSHIFT_DATABASES.html : the connected one
DROP VIEW IF EXISTS pg_catalog.svv_redshift_databases CASCADE;
CREATE VIEW pg_catalog.svv_redshift_databases AS
  SELECT redshift_database()::varchar(128) AS database_name, 100 AS database_owner,
         'local'::varchar(32) AS database_type, NULL::varchar(128) AS database_acl,
         NULL::varchar(128) AS database_options,
         CASE current_setting('default_transaction_isolation') WHEN 'serializable'
           THEN 'Serializable' ELSE 'Snapshot Isolation' END::varchar(128) AS database_isolation_level;

-- What information_schema has of schemas and of keys, which Redshift only notes.
DROP VIEW IF EXISTS pg_catalog.redshift_schemata CASCADE;
CREATE VIEW pg_catalog.redshift_schemata AS
  SELECT database_name AS catalog_name, schema_name, 'rdsdb'::varchar(128) AS schema_owner,
         NULL::varchar(128) AS default_character_set_catalog,
         NULL::varchar(128) AS default_character_set_schema,
         NULL::varchar(128) AS default_character_set_name, NULL::varchar(128) AS sql_path
    FROM pg_catalog.svv_redshift_schemas;
CREATE OR REPLACE FUNCTION localaws.keys() RETURNS TABLE (
  relation oid, schema_name text, table_name text, key_name text, kind text, columns smallint[],
  referenced_table oid, referenced smallint[]
) LANGUAGE sql STABLE AS $$
  SELECT c.oid, localaws.in_full(n.nspname), localaws.in_full(c.relname),
         localaws.in_full((k ->> 'name')::name), k ->> 'kind',
         ARRAY(SELECT jsonb_array_elements_text(k -> 'columns')::smallint),
         (k ->> 'references')::oid,
         ARRAY(SELECT jsonb_array_elements_text(k -> 'referenced')::smallint)
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL jsonb_array_elements(localaws.attributes(c.oid) -> 'keys') k
   WHERE c.relpersistence <> 't' OR pg_my_temp_schema() = n.oid
$$;
DROP VIEW IF EXISTS pg_catalog.redshift_table_constraints CASCADE;
CREATE VIEW pg_catalog.redshift_table_constraints AS
  SELECT redshift_database()::varchar(128) AS constraint_catalog,
         schema_name::varchar(128) AS constraint_schema, key_name::varchar(128) AS constraint_name,
         redshift_database()::varchar(128) AS table_catalog,
         schema_name::varchar(128) AS table_schema, table_name::varchar(128) AS table_name,
         CASE kind WHEN 'p' THEN 'PRIMARY KEY' WHEN 'u' THEN 'UNIQUE' ELSE 'FOREIGN KEY' END::varchar(128)
           AS constraint_type,
         'NO'::varchar(3) AS is_deferrable, 'NO'::varchar(3) AS initially_deferred
    FROM localaws.keys();
DROP VIEW IF EXISTS pg_catalog.redshift_key_column_usage CASCADE;
CREATE VIEW pg_catalog.redshift_key_column_usage AS
  SELECT redshift_database()::varchar(128) AS constraint_catalog,
         k.schema_name::varchar(128) AS constraint_schema,
         k.key_name::varchar(128) AS constraint_name,
         redshift_database()::varchar(128) AS table_catalog,
         k.schema_name::varchar(128) AS table_schema, k.table_name::varchar(128) AS table_name,
         localaws.in_full(a.attname)::varchar(128) AS column_name, u.position::integer AS ordinal_position
    FROM localaws.keys() k
    CROSS JOIN LATERAL unnest(k.columns) WITH ORDINALITY u (number, position)
    JOIN pg_attribute a ON a.attrelid = k.relation AND a.attnum = u.number;
