-- Aggregates and window functions. See functions.sql for how they are named.
-- Run at every start, in each cluster's database, by the superuser; every statement may run again.
SET allow_system_table_mods = on;

-- AVG of integers is a whole number, of DECIMALs one with their scale:
-- https://docs.aws.amazon.com/redshift/latest/dg/r_AVG.html . That it rounds is unsourced.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_avg_add(numeric[], numeric) RETURNS numeric[]
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT ARRAY[$1[1] + $2, $1[2] + 1] $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_avg_add(numeric[], bigint) RETURNS numeric[]
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT ARRAY[$1[1] + $2, $1[2] + 1] $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_avg_add(numeric[], integer) RETURNS numeric[]
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT ARRAY[$1[1] + $2, $1[2] + 1] $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_avg_add(numeric[], smallint) RETURNS numeric[]
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT ARRAY[$1[1] + $2, $1[2] + 1] $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_avg_whole(numeric[]) RETURNS bigint
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT trunc($1[1] / nullif($1[2], 0))::bigint $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_avg_scaled(numeric[]) RETURNS numeric
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT round($1[1] / nullif($1[2], 0), scale($1[1])) $$;
DO $$
DECLARE
  one text;
BEGIN
  FOREACH one IN ARRAY '{smallint,integer,bigint}'::text[] LOOP
    EXECUTE format('CREATE OR REPLACE AGGREGATE pg_catalog.redshift_avg(%s) (SFUNC = redshift_avg_add, '
      'STYPE = numeric[], INITCOND = ''{0,0}'', FINALFUNC = redshift_avg_whole)', one);
  END LOOP;
END $$;
CREATE OR REPLACE AGGREGATE pg_catalog.redshift_avg(numeric)
  (SFUNC = redshift_avg_add, STYPE = numeric[], INITCOND = '{0,0}', FINALFUNC = redshift_avg_scaled);
CREATE OR REPLACE AGGREGATE pg_catalog.redshift_avg(double precision)
  (SFUNC = float8_accum, STYPE = double precision[], INITCOND = '{0,0,0}', FINALFUNC = float8_avg);
-- https://docs.aws.amazon.com/redshift/latest/dg/r_LISTAGG.html
CREATE OR REPLACE FUNCTION pg_catalog.redshift_listagg(text) RETURNS text
  LANGUAGE plpgsql IMMUTABLE STRICT AS $$
    BEGIN
      IF octet_length($1) > 65535 THEN
        RAISE 'Result size exceeds LISTAGG limit' USING ERRCODE = '54000';
      END IF;
      RETURN $1;
    END $$;
-- https://docs.aws.amazon.com/redshift/latest/dg/r_PERCENTILE_CONT.html : between two values in line
CREATE OR REPLACE FUNCTION pg_catalog.redshift_percentile_cont(anyarray, double precision)
  RETURNS double precision LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT percentile_cont($2) WITHIN GROUP (ORDER BY one::double precision) FROM unnest($1) AS one $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_percentile_disc(anyarray, double precision, boolean)
  RETURNS anyelement LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT CASE WHEN $3 THEN percentile_disc($2) WITHIN GROUP (ORDER BY one DESC)
                ELSE percentile_disc($2) WITHIN GROUP (ORDER BY one) END FROM unnest($1) AS one $$;
-- IGNORE NULLS: https://docs.aws.amazon.com/redshift/latest/dg/r_WF_first_value.html , r_WF_LAG.html
CREATE OR REPLACE FUNCTION pg_catalog.redshift_keep(anyelement, anyelement) RETURNS anyelement
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT $1 $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_replace(anyelement, anyelement) RETURNS anyelement
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT $2 $$;
CREATE OR REPLACE AGGREGATE pg_catalog.redshift_first_value(anyelement)
  (SFUNC = redshift_keep, STYPE = anyelement);
CREATE OR REPLACE AGGREGATE pg_catalog.redshift_last_value(anyelement)
  (SFUNC = redshift_replace, STYPE = anyelement);
CREATE OR REPLACE FUNCTION pg_catalog.redshift_nth(anyarray, integer, from_end boolean)
  RETURNS anyelement LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT $1[CASE WHEN from_end THEN cardinality($1) - $2 + 1 ELSE $2 END] $$;
