-- Functions that a Redshift database has and a PostgreSQL database has not.
-- Run at every start, in each cluster's database, by the superuser; every statement may run again.
SET allow_system_table_mods = on;

-- Times: https://docs.aws.amazon.com/redshift/latest/dg/r_GETDATE.html (statement, whole seconds)
-- and https://docs.aws.amazon.com/redshift/latest/dg/r_SYSDATE.html (transaction, microseconds).
CREATE OR REPLACE FUNCTION pg_catalog.getdate() RETURNS timestamp
  LANGUAGE sql STABLE AS $$ SELECT date_trunc('second', statement_timestamp() AT TIME ZONE 'UTC') $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_sysdate() RETURNS timestamp
  LANGUAGE sql STABLE AS $$ SELECT transaction_timestamp() AT TIME ZONE 'UTC' $$;

CREATE OR REPLACE FUNCTION pg_catalog.len(text) RETURNS integer
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT length($1) $$;
-- https://docs.aws.amazon.com/redshift/latest/dg/JSON_PARSE.html
CREATE OR REPLACE FUNCTION pg_catalog.json_parse(text) RETURNS jsonb
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT $1::jsonb $$;
-- The database as clients know it; the engine's own name for it is longer.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_database() RETURNS text
  LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('localaws.database', true), ''), current_database())
  $$;
