-- String functions. See functions.sql for how they are named.
-- Run at every start, in each cluster's database, by the superuser; every statement may run again.
SET allow_system_table_mods = on;

-- Cut to so many bytes, never inside a character.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_shorten(text, integer) RETURNS text
  LANGUAGE plpgsql IMMUTABLE STRICT AS $$
    DECLARE shorter text := left($1, $2);
    BEGIN
      WHILE octet_length(shorter) > $2 LOOP
        shorter := left(shorter, -1 - (octet_length(shorter) - $2 - 1) / 4);
      END LOOP;
      RETURN shorter;
    END $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_cut(text, integer) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT CASE WHEN octet_length($1) <= $2 THEN $1 ELSE redshift_shorten($1, $2) END $$;
-- https://docs.aws.amazon.com/redshift/latest/dg/r_LEN.html
CREATE OR REPLACE FUNCTION pg_catalog.redshift_len(text) RETURNS integer
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT length($1) $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_len(bytea) RETURNS integer
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT length($1) $$;
-- Null if either is null: https://docs.aws.amazon.com/redshift/latest/dg/r_CONCAT.html
CREATE OR REPLACE FUNCTION pg_catalog.redshift_concat(text, text) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT $1 || $2 $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_concat(bytea, bytea) RETURNS bytea
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT $1 || $2 $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_concat(text, anynonarray) RETURNS text
  LANGUAGE sql STABLE STRICT AS $$ SELECT $1 || $2 $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_concat(anynonarray, text) RETURNS text
  LANGUAGE sql STABLE STRICT AS $$ SELECT $1 || $2 $$;
-- https://docs.aws.amazon.com/redshift/latest/dg/r_CHARINDEX.html
CREATE OR REPLACE FUNCTION pg_catalog.redshift_charindex(text, text) RETURNS integer
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT strpos($2, $1) $$;
-- https://docs.aws.amazon.com/redshift/latest/dg/OCTETINDEX.html
CREATE OR REPLACE FUNCTION pg_catalog.redshift_octetindex(text, text) RETURNS integer
  LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT position(convert_to($1, 'UTF8') IN convert_to($2, 'UTF8')) $$;
-- https://docs.aws.amazon.com/redshift/latest/dg/SPLIT_PART.html : parts count from one
CREATE OR REPLACE FUNCTION pg_catalog.redshift_split_part(text, text, integer) RETURNS text
  LANGUAGE plpgsql IMMUTABLE STRICT AS $$
    BEGIN
      IF $3 <= 0 THEN
        RAISE 'field position must be greater than zero' USING ERRCODE = '22023';
      END IF;
      RETURN split_part($1, $2, $3);
    END $$;
-- https://docs.aws.amazon.com/redshift/latest/dg/r_STRTOL.html ; wording unsourced
CREATE OR REPLACE FUNCTION pg_catalog.redshift_strtol(text, integer) RETURNS bigint
  LANGUAGE plpgsql IMMUTABLE STRICT AS $$
    DECLARE
      digits text := lower(trim($1)); negative boolean := false; result numeric := 0; digit integer;
    BEGIN
      IF $2 = 16 AND $1 ~ '^[0-9A-Fa-f]{1,15}$' THEN  -- digit by digit it takes fifty times as long
        RETURN ('x' || lpad($1, 16, '0'))::bit(64)::bigint;
      END IF;
      IF $2 NOT BETWEEN 2 AND 36 THEN
        RAISE 'The base % is not between 2 and 36', $2 USING ERRCODE = '22023';
      END IF;
      IF left(digits, 1) IN ('-', '+') THEN
        negative := left(digits, 1) = '-';
        digits := substr(digits, 2);
      END IF;
      IF $2 = 16 AND left(digits, 2) = '0x' THEN
        digits := substr(digits, 3);
      END IF;
      FOR place IN 1 .. length(digits) LOOP
        digit := strpos('0123456789abcdefghijklmnopqrstuvwxyz', substr(digits, place, 1)) - 1;
        IF digit < 0 OR digit >= $2 THEN
          RAISE 'The input % is not valid to be converted to base %', $1, $2 USING ERRCODE = '22P02';
        END IF;
        result := result * $2 + digit;
      END LOOP;
      RETURN CASE WHEN negative THEN -result ELSE result END;
    END $$;
-- https://docs.aws.amazon.com/redshift/latest/dg/SOUNDEX.html
CREATE OR REPLACE FUNCTION pg_catalog.redshift_soundex(text) RETURNS varchar(4)
  LANGUAGE plpgsql IMMUTABLE STRICT AS $$
    DECLARE
      letters text := regexp_replace(upper($1), '[^A-Z]', '', 'g');
      codes text := translate(letters, 'BFPVCGJKQSXZDTLMNRAEIOUYHW', '11112222222233455600000099');
      result text := left(letters, 1); last text := left(codes, 1); code text;
    BEGIN
      FOR place IN 2 .. length(letters) LOOP
        code := substr(codes, place, 1);
        CONTINUE WHEN code = '9';
        IF code <> '0' AND code <> last THEN
          result := result || code;
        END IF;
        last := code;
      END LOOP;
      RETURN CASE WHEN letters = '' THEN '' ELSE rpad(left(result, 4), 4, '0') END;
    END $$;
-- https://docs.aws.amazon.com/redshift/latest/dg/DIFFERENCE.html
CREATE OR REPLACE FUNCTION pg_catalog.redshift_difference(text, text) RETURNS integer
  LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT count(*)::integer FROM generate_series(1, 4) AS place
     WHERE substr(redshift_soundex($1), place, 1) = substr(redshift_soundex($2), place, 1) $$;

-- Patterns: https://docs.aws.amazon.com/redshift/latest/dg/REGEXP_SUBSTR.html and its siblings.
-- Parameters: i and c are the engine's, e takes the first group, p (Perl) is what the engine speaks.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_flags(text) RETURNS text
  LANGUAGE plpgsql IMMUTABLE STRICT AS $$
    BEGIN
      IF $1 !~ '^[ceip]*$' THEN
        RAISE 'invalid regular expression parameter: %', $1 USING ERRCODE = '22023';
      END IF;
      RETURN translate($1, 'ep', '');
    END $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_regexp_count(
    source text, pattern text, first integer DEFAULT 1, parameters text DEFAULT 'c')
  RETURNS integer LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT regexp_count(source, pattern, first, redshift_flags(parameters)) $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_regexp_instr(
    source text, pattern text, first integer DEFAULT 1, occurrence integer DEFAULT 1,
    option integer DEFAULT 0, parameters text DEFAULT 'c')
  RETURNS integer LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT regexp_instr(source, pattern, first, occurrence, option, redshift_flags(parameters),
                        CASE WHEN parameters LIKE '%e%' THEN 1 ELSE 0 END) $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_regexp_replace(
    source text, pattern text, replacement text DEFAULT '', first integer DEFAULT 1,
    parameters text DEFAULT 'c')
  RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT regexp_replace(source, pattern, replacement, first, 0, redshift_flags(parameters)) $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_regexp_substr(
    source text, pattern text, first integer DEFAULT 1, occurrence integer DEFAULT 1,
    parameters text DEFAULT 'c')
  RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT coalesce(regexp_substr(source, pattern, first, occurrence, redshift_flags(parameters),
                                  CASE WHEN parameters LIKE '%e%' THEN 1 ELSE 0 END), '') $$;
