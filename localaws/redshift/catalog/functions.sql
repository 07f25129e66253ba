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
-- An object may name an attribute once only, and a string has 65,535 bytes at most:
-- https://docs.aws.amazon.com/redshift/latest/dg/super-configurations.html ; wordings unsourced
DROP FUNCTION IF EXISTS pg_catalog.json_parse(text);
CREATE FUNCTION pg_catalog.json_parse(text) RETURNS super LANGUAGE plpgsql IMMUTABLE STRICT AS $$
  BEGIN
    IF $1 IS NOT JSON THEN
      RAISE 'invalid JSON' USING ERRCODE = '22032';
    ELSIF $1 IS NOT JSON WITH UNIQUE KEYS THEN
      RAISE 'duplicate attribute in object' USING ERRCODE = '22030';
    ELSIF octet_length($1) > 65535 AND EXISTS (
        SELECT 1 FROM jsonb_path_query($1::jsonb, 'strict $.**') AS part
         WHERE jsonb_typeof(part) = 'string' AND octet_length(part #>> '{}') > 65535) THEN
      RAISE 'a string inside a SUPER value is longer than 65535 bytes' USING ERRCODE = '22001';
    END IF;
    RETURN $1::jsonb::super;
  END $$;
-- The database as clients know it; the engine's own name for it is longer.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_database() RETURNS text
  LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('localaws.database', true), ''), current_database())
  $$;
