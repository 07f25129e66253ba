-- VARBYTE functions and operators. See functions.sql for how they are named.
-- Run at every start, in each cluster's database, by the superuser; every statement may run again.
SET allow_system_table_mods = on;

-- A text is its UTF-8: https://docs.aws.amazon.com/redshift/latest/dg/r_VARBYTE_type.html
CREATE OR REPLACE FUNCTION pg_catalog.redshift_bytes(text) RETURNS bytea
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT convert_to($1, 'UTF8') $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_bytes(bytea) RETURNS bytea
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT $1 $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_text(bytea) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT convert_from($1, 'UTF8') $$;
SELECT pg_temp.once(format('CREATE CAST (bytea AS %s) WITH FUNCTION pg_catalog.redshift_text(bytea)', one)),
       pg_temp.once(format('CREATE CAST (%s AS bytea) WITH FUNCTION pg_catalog.redshift_bytes(text) AS ASSIGNMENT', one))
  FROM unnest('{text,varchar}'::text[]) AS one;
-- https://docs.aws.amazon.com/redshift/latest/dg/r_VARBYTE_OPERATORS.html
CREATE OR REPLACE FUNCTION pg_catalog.redshift_join(bytea, bytea) RETURNS bytea
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT $1 || $2 $$;
SELECT pg_temp.once('CREATE OPERATOR pg_catalog.+ (LEFTARG = bytea, RIGHTARG = bytea,
                     FUNCTION = redshift_join)');
CREATE OR REPLACE FUNCTION pg_catalog.redshift_from_hex(text) RETURNS bytea
  LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT decode(CASE length($1) % 2 WHEN 1 THEN '0' ELSE '' END || $1, 'hex') $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_to_hex(bigint) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT to_hex($1) $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_to_hex(integer) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT to_hex($1) $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_to_hex(bytea) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT encode($1, 'hex') $$;
-- https://docs.aws.amazon.com/redshift/latest/dg/r_FROM_VARBYTE.html , r_TO_VARBYTE.html
CREATE OR REPLACE FUNCTION pg_catalog.redshift_from_varbyte(bytea, text) RETURNS text
  LANGUAGE plpgsql IMMUTABLE STRICT AS $$
    BEGIN
      CASE lower($2)
        WHEN 'hex' THEN RETURN encode($1, 'hex');
        WHEN 'utf8', 'utf-8' THEN RETURN convert_from($1, 'UTF8');
        WHEN 'binary' THEN
          RETURN (SELECT coalesce(string_agg(get_byte($1, place)::bit(8)::text, '' ORDER BY place), '')
                    FROM generate_series(0, length($1) - 1) AS place);
        ELSE RAISE 'unknown format "%"', $2 USING ERRCODE = '22023';  -- wording unsourced
      END CASE;
    END $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_from_varbyte(text, text) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT redshift_from_varbyte(convert_to($1, 'UTF8'), $2) $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_to_varbyte(text, text) RETURNS bytea
  LANGUAGE plpgsql IMMUTABLE STRICT AS $$
    BEGIN
      CASE lower($2)
        WHEN 'hex' THEN RETURN redshift_from_hex($1);
        WHEN 'utf8', 'utf-8' THEN RETURN convert_to($1, 'UTF8');
        WHEN 'binary' THEN
          RETURN (SELECT coalesce(string_agg(set_byte('\x00', 0, substr($1, place, 8)::bit(8)::integer),
                                             ''::bytea ORDER BY place), '')
                    FROM generate_series(1, length($1), 8) AS place);
        ELSE RAISE 'unknown format "%"', $2 USING ERRCODE = '22023';
      END CASE;
    END $$;
-- From the rightmost bit: https://docs.aws.amazon.com/redshift/latest/dg/r_GETBIT.html
CREATE OR REPLACE FUNCTION pg_catalog.redshift_getbit(bytea, integer) RETURNS integer
  LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT (get_byte($1, length($1) - 1 - $2 / 8) >> ($2 % 8)) & 1 $$;
