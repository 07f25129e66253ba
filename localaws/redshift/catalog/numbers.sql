-- Math functions, and casts. See functions.sql for how they are named.
-- Run at every start, in each cluster's database, by the superuser; every statement may run again.
SET allow_system_table_mods = on;

-- The type stays: https://docs.aws.amazon.com/redshift/latest/dg/r_ROUND.html , r_TRUNC.html ,
-- r_CEILING_FLOOR.html , r_SIGN.html
DO $$
DECLARE
  one text; name text;
BEGIN
  FOREACH one IN ARRAY '{smallint,integer,bigint}'::text[] LOOP
    FOREACH name IN ARRAY '{round,trunc,ceil,ceiling,floor}'::text[] LOOP
      EXECUTE format('CREATE OR REPLACE FUNCTION pg_catalog.%s(%s) RETURNS %2$s '
        'LANGUAGE sql IMMUTABLE STRICT AS ''SELECT $1''', name, one);
    END LOOP;
    EXECUTE format('CREATE OR REPLACE FUNCTION pg_catalog.sign(%s) RETURNS %1$s '
      'LANGUAGE sql IMMUTABLE STRICT AS ''SELECT sign($1::numeric)::%1$s''', one);
  END LOOP;
END $$;
CREATE OR REPLACE FUNCTION pg_catalog.round(double precision, integer) RETURNS double precision
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT round($1::numeric, $2)::double precision $$;
CREATE OR REPLACE FUNCTION pg_catalog.trunc(double precision, integer) RETURNS double precision
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT trunc($1::numeric, $2)::double precision $$;
-- A cast that does not fit is null: https://docs.aws.amazon.com/redshift/latest/dg/r_TRY_CAST.html
CREATE OR REPLACE FUNCTION pg_catalog.redshift_try_cast(text, anyelement, text) RETURNS anyelement
  LANGUAGE plpgsql STABLE AS $$
    DECLARE result $2%TYPE;
    BEGIN
      IF NOT pg_input_is_valid($1, $3) THEN RETURN NULL; END IF;
      result := $1;
      RETURN result;
    END $$;
-- No cast of a boolean to text: https://github.com/elementary-data/elementary/issues/1540
CREATE OR REPLACE FUNCTION pg_catalog.redshift_no_text(boolean) RETURNS text
  LANGUAGE plpgsql IMMUTABLE AS $$
    BEGIN RAISE 'cannot cast type boolean to character varying' USING ERRCODE = '42846'; END $$;
UPDATE pg_cast SET castfunc = 'pg_catalog.redshift_no_text(boolean)'::regprocedure
 WHERE castsource = 'boolean'::regtype AND casttarget IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype)
   AND castfunc <> 'pg_catalog.redshift_no_text(boolean)'::regprocedure;
