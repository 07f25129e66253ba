-- Functions that a Redshift database has and a PostgreSQL database has not.
-- Run at every start, in each cluster's database, by the superuser; every statement may run again.
-- A name that starts with redshift_ is one that the engine uses itself, with another meaning or for
-- other types. Texts that may be dates get an overload of their own, as Redshift converts them.
SET allow_system_table_mods = on;

CREATE OR REPLACE FUNCTION pg_catalog.redshift_version() RETURNS text
  LANGUAGE sql IMMUTABLE AS $$
    SELECT 'PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2 20041017 '
           '(Red Hat 3.4.2-6.fc3), Redshift 1.0.12103' $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_user_id() RETURNS integer
  LANGUAGE sql STABLE AS $$ SELECT 100 $$;
-- The database as clients know it; the engine's own name for it is longer.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_database() RETURNS text
  LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('localaws.database', true), ''), current_database())
  $$;

-- Dates and times -----------------------------------------------------------------------------------

-- https://docs.aws.amazon.com/redshift/latest/dg/r_GETDATE.html (statement, whole seconds)
-- and https://docs.aws.amazon.com/redshift/latest/dg/r_SYSDATE.html (transaction, microseconds).
CREATE OR REPLACE FUNCTION pg_catalog.getdate() RETURNS timestamp
  LANGUAGE sql STABLE AS $$ SELECT date_trunc('second', statement_timestamp() AT TIME ZONE 'UTC') $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_sysdate() RETURNS timestamp
  LANGUAGE sql STABLE AS $$ SELECT transaction_timestamp() AT TIME ZONE 'UTC' $$;

-- Whatever holds a date or a time, as a timestamp; a time is one of 1970-01-01.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_moment(timestamp) RETURNS timestamp
  LANGUAGE sql IMMUTABLE AS $$ SELECT $1 $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_moment(date) RETURNS timestamp
  LANGUAGE sql IMMUTABLE AS $$ SELECT $1::timestamp $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_moment(timestamptz) RETURNS timestamp
  LANGUAGE sql STABLE AS $$ SELECT $1::timestamp $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_moment(text) RETURNS timestamp
  LANGUAGE sql STABLE AS $$ SELECT $1::timestamp $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_moment(time) RETURNS timestamp
  LANGUAGE sql IMMUTABLE AS $$ SELECT date '1970-01-01' + $1 $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_moment(timetz) RETURNS timestamp
  LANGUAGE sql IMMUTABLE AS $$ SELECT (date '1970-01-01' + $1) AT TIME ZONE 'UTC' $$;

-- https://docs.aws.amazon.com/redshift/latest/dg/r_DATEADD_function.html : months keep to the end of
-- a shorter month, and a date becomes a timestamp.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_distance(unit text, count bigint) RETURNS interval
  LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT CASE unit
      WHEN 'millennium' THEN make_interval(years => (count * 1000)::integer)
      WHEN 'century' THEN make_interval(years => (count * 100)::integer)
      WHEN 'decade' THEN make_interval(years => (count * 10)::integer)
      WHEN 'year' THEN make_interval(years => count::integer)
      WHEN 'quarter' THEN make_interval(months => (count * 3)::integer)
      WHEN 'month' THEN make_interval(months => count::integer)
      WHEN 'week' THEN make_interval(days => (count * 7)::integer)
      WHEN 'day' THEN make_interval(days => count::integer)
      WHEN 'hour' THEN count * interval '1 hour'
      WHEN 'minute' THEN count * interval '1 minute'
      WHEN 'second' THEN count * interval '1 second'
      WHEN 'millisecond' THEN count * interval '1 millisecond'
      WHEN 'microsecond' THEN count * interval '1 microsecond'
    END $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_dateadd(text, bigint, timestamp) RETURNS timestamp
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT $3 + redshift_distance($1, $2) $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_dateadd(text, bigint, date) RETURNS timestamp
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT $3 + redshift_distance($1, $2) $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_dateadd(text, bigint, text) RETURNS timestamp
  LANGUAGE sql STABLE STRICT AS $$ SELECT $3::timestamp + redshift_distance($1, $2) $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_dateadd(text, bigint, timestamptz) RETURNS timestamp
  LANGUAGE sql STABLE STRICT AS $$ SELECT $3::timestamp + redshift_distance($1, $2) $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_dateadd(text, bigint, time) RETURNS time
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT $3 + redshift_distance($1, $2) $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_dateadd(text, bigint, timetz) RETURNS timetz
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT $3 + redshift_distance($1, $2) $$;

-- How many boundaries lie between: https://docs.aws.amazon.com/redshift/latest/dg/r_DATEDIFF_function.html
-- That a week begins on Monday, as for DATE_TRUNC, is unsourced.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_datediff(unit text, start timestamp, stop timestamp)
  RETURNS bigint LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT CASE unit
      WHEN 'millennium' THEN extract(millennium FROM stop) - extract(millennium FROM start)
      WHEN 'century' THEN extract(century FROM stop) - extract(century FROM start)
      WHEN 'decade' THEN extract(decade FROM stop) - extract(decade FROM start)
      WHEN 'year' THEN extract(year FROM stop) - extract(year FROM start)
      WHEN 'quarter' THEN (extract(year FROM stop) - extract(year FROM start)) * 4
                          + extract(quarter FROM stop) - extract(quarter FROM start)
      WHEN 'month' THEN (extract(year FROM stop) - extract(year FROM start)) * 12
                        + extract(month FROM stop) - extract(month FROM start)
      WHEN 'week' THEN (date_trunc('week', stop)::date - date_trunc('week', start)::date) / 7
      WHEN 'day' THEN stop::date - start::date
      ELSE trunc(extract(epoch FROM date_trunc(unit, stop) - date_trunc(unit, start))
                 * CASE unit WHEN 'millisecond' THEN 1000 WHEN 'microsecond' THEN 1000000 ELSE 1 END
                 / CASE unit WHEN 'hour' THEN 3600 WHEN 'minute' THEN 60 ELSE 1 END)
    END::bigint $$;

-- https://docs.aws.amazon.com/redshift/latest/dg/r_EXTRACT_function.html : the part alone, whole;
-- https://docs.aws.amazon.com/redshift/latest/dg/r_Dateparts_for_datetime_functions.html (decades)
CREATE OR REPLACE FUNCTION pg_catalog.redshift_extract(text, timestamp) RETURNS integer
  LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT CASE $1
      WHEN 'decade' THEN floor(extract(year FROM $2) / 10) + 1
      WHEN 'millisecond' THEN trunc(extract(milliseconds FROM $2)) % 1000
      WHEN 'microsecond' THEN extract(microseconds FROM $2) % 1000000
      ELSE trunc(date_part($1, $2)::numeric) END::integer $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_extract(text, timestamptz) RETURNS double precision
  LANGUAGE sql STABLE STRICT AS $$
    SELECT CASE WHEN $1 LIKE 'timezone%' THEN date_part($1, $2)
                ELSE redshift_extract($1, $2::timestamp)::double precision END $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_extract(text, interval) RETURNS integer
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT trunc(date_part($1, $2)::numeric)::integer $$;
-- https://docs.aws.amazon.com/redshift/latest/dg/r_DATE_PART_function.html : DOUBLE, with all digits
CREATE OR REPLACE FUNCTION pg_catalog.redshift_date_part(text, timestamp) RETURNS double precision
  LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT CASE $1 WHEN 'decade' THEN floor(extract(year FROM $2) / 10)::double precision + 1
                   ELSE date_part($1, $2) END $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_date_part(text, timestamptz) RETURNS double precision
  LANGUAGE sql STABLE STRICT AS $$
    SELECT CASE WHEN $1 LIKE 'timezone%' THEN date_part($1, $2)
                ELSE redshift_date_part($1, $2::timestamp) END $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_date_part(text, interval) RETURNS double precision
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT date_part($1, $2) $$;
-- https://docs.aws.amazon.com/redshift/latest/dg/r_DATE_TRUNC.html
CREATE OR REPLACE FUNCTION pg_catalog.redshift_date_trunc(text, timestamp) RETURNS timestamp
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT date_trunc($1, $2) $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_date_trunc(text, timestamptz) RETURNS timestamptz
  LANGUAGE sql STABLE STRICT AS $$ SELECT date_trunc($1, $2) $$;
DO $$
DECLARE
  one text; result text;
BEGIN
  FOR one, result IN VALUES ('extract', 'integer'), ('date_part', 'double precision'),
                            ('date_trunc', 'timestamp') LOOP
    EXECUTE format('CREATE OR REPLACE FUNCTION pg_catalog.redshift_%s(text, date) RETURNS %s '
      'LANGUAGE sql IMMUTABLE STRICT AS ''SELECT redshift_%1$s($1, $2::timestamp)''', one, result);
    EXECUTE format('CREATE OR REPLACE FUNCTION pg_catalog.redshift_%s(text, text) RETURNS %s '
      'LANGUAGE sql STABLE STRICT AS ''SELECT redshift_%1$s($1, $2::timestamp)''', one, result);
  END LOOP;
  FOR one, result IN VALUES ('extract', 'integer'), ('date_part', 'double precision') LOOP
    EXECUTE format('CREATE OR REPLACE FUNCTION pg_catalog.redshift_%s(text, time) RETURNS %s '
      'LANGUAGE sql IMMUTABLE STRICT AS ''SELECT redshift_%1$s($1, redshift_moment($2))''', one, result);
    EXECUTE format('CREATE OR REPLACE FUNCTION pg_catalog.redshift_%s(text, timetz) RETURNS %s '
      'LANGUAGE sql IMMUTABLE STRICT AS ''SELECT redshift_%1$s($1, redshift_moment($2))''', one, result);
  END LOOP;
END $$;

-- https://docs.aws.amazon.com/redshift/latest/dg/r_LAST_DAY.html
CREATE OR REPLACE FUNCTION pg_catalog.redshift_month_end(timestamp) RETURNS date
  LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT (date_trunc('month', $1) + interval '1 month - 1 day')::date $$;
-- The last day of a month stays the last: https://docs.aws.amazon.com/redshift/latest/dg/r_ADD_MONTHS.html
CREATE OR REPLACE FUNCTION pg_catalog.redshift_add_months_to(timestamp, integer) RETURNS timestamp
  LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT CASE WHEN $1::date = redshift_month_end($1)
                THEN redshift_month_end(date_trunc('month', $1) + make_interval(months => $2)) + $1::time
                ELSE $1 + make_interval(months => $2) END $$;
-- https://docs.aws.amazon.com/redshift/latest/dg/r_MONTHS_BETWEEN_function.html
CREATE OR REPLACE FUNCTION pg_catalog.redshift_months(timestamp, timestamp) RETURNS double precision
  LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT (extract(year FROM $1) - extract(year FROM $2)) * 12
           + extract(month FROM $1) - extract(month FROM $2)
           + CASE WHEN extract(day FROM $1) = extract(day FROM $2)
                    OR ($1::date = redshift_month_end($1) AND $2::date = redshift_month_end($2)) THEN 0
                  ELSE (extract(epoch FROM $1 - date_trunc('month', $1))
                        - extract(epoch FROM $2 - date_trunc('month', $2))) / 86400 / 31 END $$;
-- https://docs.aws.amazon.com/redshift/latest/dg/r_NEXT_DAY.html : the day by its first letters
CREATE OR REPLACE FUNCTION pg_catalog.redshift_day_after(timestamp, text) RETURNS date
  LANGUAGE plpgsql IMMUTABLE STRICT AS $$
    DECLARE
      days text[] := '{sunday,monday,tuesday,wednesday,thursday,friday,saturday}';
      wanted integer;
    BEGIN
      SELECT min(n) - 1 INTO wanted FROM generate_series(1, 7) AS n
       WHERE days[n] LIKE lower($2) || '%' AND (length($2) > 1 OR lower($2) NOT IN ('s', 't'));
      IF wanted IS NULL THEN
        RAISE 'invalid day of week: %', $2 USING ERRCODE = '22023';  -- wording unsourced
      END IF;
      RETURN $1::date + 1 + (wanted - extract(dow FROM $1)::integer + 6) % 7;
    END $$;
DO $$
DECLARE
  one text;
BEGIN
  FOREACH one IN ARRAY '{timestamp,date,timestamptz,text}'::text[] LOOP
    EXECUTE format('CREATE OR REPLACE FUNCTION pg_catalog.redshift_last_day(%s) RETURNS date '
      'LANGUAGE sql STABLE STRICT AS ''SELECT redshift_month_end(redshift_moment($1))''', one);
    EXECUTE format('CREATE OR REPLACE FUNCTION pg_catalog.redshift_add_months(%s, integer) '
      'RETURNS timestamp LANGUAGE sql STABLE STRICT AS '
      '''SELECT redshift_add_months_to(redshift_moment($1), $2)''', one);
    EXECUTE format('CREATE OR REPLACE FUNCTION pg_catalog.redshift_next_day(%s, text) '
      'RETURNS date LANGUAGE sql STABLE STRICT AS '
      '''SELECT redshift_day_after(redshift_moment($1), $2)''', one);
    EXECUTE format('CREATE OR REPLACE FUNCTION pg_catalog.redshift_date_part_year(%s) '
      'RETURNS integer LANGUAGE sql STABLE STRICT AS '
      '''SELECT extract(year FROM redshift_moment($1))::integer''', one);
    EXECUTE format('CREATE OR REPLACE FUNCTION pg_catalog.redshift_date(%s) RETURNS date '
      'LANGUAGE sql STABLE STRICT AS ''SELECT redshift_moment($1)::date''', one);
    EXECUTE format('CREATE OR REPLACE FUNCTION pg_catalog.redshift_months_between(%s, text) '
      'RETURNS double precision LANGUAGE sql STABLE STRICT AS '
      '''SELECT redshift_months(redshift_moment($1), redshift_moment($2))''', one);
    EXECUTE format('CREATE OR REPLACE FUNCTION pg_catalog.redshift_months_between(%s, timestamp) '
      'RETURNS double precision LANGUAGE sql STABLE STRICT AS '
      '''SELECT redshift_months(redshift_moment($1), $2)''', one);
  END LOOP;
END $$;
-- https://docs.aws.amazon.com/redshift/latest/dg/r_TRUNC_date.html
CREATE OR REPLACE FUNCTION pg_catalog.trunc(timestamp) RETURNS date
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT $1::date $$;
CREATE OR REPLACE FUNCTION pg_catalog.trunc(timestamptz) RETURNS date
  LANGUAGE sql STABLE STRICT AS $$ SELECT $1::date $$;
-- https://docs.aws.amazon.com/redshift/latest/dg/CONVERT_TIMEZONE.html
CREATE OR REPLACE FUNCTION pg_catalog.redshift_convert_timezone(text, text, timestamp)
  RETURNS timestamp LANGUAGE sql STABLE STRICT AS $$ SELECT $3 AT TIME ZONE $1 AT TIME ZONE $2 $$;
-- Strict or not is told by a third argument; the engine is always strict, which README says.
CREATE OR REPLACE FUNCTION pg_catalog.to_date(text, text, boolean) RETURNS date
  LANGUAGE sql STABLE STRICT AS $$ SELECT to_date($1, $2) $$;
CREATE OR REPLACE FUNCTION pg_catalog.to_timestamp(text, text, boolean) RETURNS timestamptz
  LANGUAGE sql STABLE STRICT AS $$ SELECT to_timestamp($1, $2) $$;
CREATE OR REPLACE FUNCTION pg_catalog.to_timestamp(timestamp, text) RETURNS timestamptz
  LANGUAGE sql STABLE STRICT AS $$ SELECT to_timestamp(to_char($1, $2), $2) $$;

-- Text ----------------------------------------------------------------------------------------------

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

-- Hashes --------------------------------------------------------------------------------------------

-- CRC-32C: https://docs.aws.amazon.com/redshift/latest/dg/crc32-function.html
CREATE OR REPLACE FUNCTION pg_catalog.redshift_crc32(text) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT lpad(to_hex(crc32c(convert_to($1, 'UTF8'))), 8, '0') $$;
-- Empty for a wrong number of bits: https://docs.aws.amazon.com/redshift/latest/dg/SHA2.html
CREATE OR REPLACE FUNCTION pg_catalog.redshift_sha2(bytea, integer) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT encode(CASE $2 WHEN 224 THEN sha224($1) WHEN 0 THEN sha256($1) WHEN 256 THEN sha256($1)
                          WHEN 384 THEN sha384($1) WHEN 512 THEN sha512($1) ELSE '' END, 'hex') $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_sha2(text, integer) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT redshift_sha2(convert_to($1, 'UTF8'), $2) $$;
-- https://docs.aws.amazon.com/redshift/latest/dg/SHA1.html ; the engine has none (FIPS 180-4, 6.1)
CREATE OR REPLACE FUNCTION pg_catalog.redshift_sha1(bytea) RETURNS text
  LANGUAGE plpgsql IMMUTABLE STRICT AS $$
    DECLARE
      mask CONSTANT bigint := 4294967295;
      text_bits bigint := length($1)::bigint * 8;
      block bytea := $1 || '\x80'::bytea
                     || decode(repeat('00', (119 - length($1) % 64) % 64), 'hex')
                     || decode(lpad(to_hex(text_bits), 16, '0'), 'hex');
      h bigint[] := ARRAY[1732584193, 4023233417, 2562383102, 271733878, 3285377520];
      w bigint[]; a bigint; b bigint; c bigint; d bigint; e bigint; f bigint; k bigint; x bigint;
    BEGIN
      FOR start IN 0 .. length(block) - 1 BY 64 LOOP
        FOR i IN 0 .. 15 LOOP
          w[i] := (get_byte(block, start + i * 4)::bigint << 24)
                  | (get_byte(block, start + i * 4 + 1) << 16)
                  | (get_byte(block, start + i * 4 + 2) << 8) | get_byte(block, start + i * 4 + 3);
        END LOOP;
        FOR i IN 16 .. 79 LOOP
          x := w[i - 3] # w[i - 8] # w[i - 14] # w[i - 16];
          w[i] := ((x << 1) | (x >> 31)) & mask;
        END LOOP;
        a := h[1]; b := h[2]; c := h[3]; d := h[4]; e := h[5];
        FOR i IN 0 .. 79 LOOP
          CASE
            WHEN i < 20 THEN f := (b & c) | ((~b & mask) & d); k := 1518500249;
            WHEN i < 40 THEN f := b # c # d; k := 1859775393;
            WHEN i < 60 THEN f := (b & c) | (b & d) | (c & d); k := 2400959708;
            ELSE f := b # c # d; k := 3395469782;
          END CASE;
          x := ((((a << 5) | (a >> 27)) & mask) + f + e + k + w[i]) & mask;
          e := d; d := c; c := ((b << 30) | (b >> 2)) & mask; b := a; a := x;
        END LOOP;
        h := ARRAY[(h[1] + a) & mask, (h[2] + b) & mask, (h[3] + c) & mask, (h[4] + d) & mask,
                   (h[5] + e) & mask];
      END LOOP;
      RETURN (SELECT string_agg(lpad(to_hex(part), 8, '0'), '' ORDER BY place)
                FROM unnest(h) WITH ORDINALITY AS parts(part, place));
    END $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_sha1(text) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT redshift_sha1(convert_to($1, 'UTF8')) $$;
-- FNV-1a of 64 bits: https://docs.aws.amazon.com/redshift/latest/dg/r_FNV_HASH.html . The guide has
-- examples for texts and INTEGER; that other integers hash by their own width is unsourced.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_fnv_bytes(bytea, bigint) RETURNS bigint
  LANGUAGE plpgsql IMMUTABLE AS $$
    DECLARE
      two_64 CONSTANT numeric := 18446744073709551616;
      hash numeric := coalesce($2, -3750763034362895579);
      result bigint := hash;
    BEGIN
      IF $1 IS NULL THEN RETURN NULL; END IF;
      FOR place IN 0 .. length($1) - 1 LOOP
        result := result # get_byte($1, place)::bigint;
        hash := mod(result::numeric * 1099511628211, two_64);
        hash := CASE WHEN hash < 0 THEN hash + two_64 ELSE hash END;
        result := CASE WHEN hash >= two_64 / 2 THEN hash - two_64 ELSE hash END;
      END LOOP;
      RETURN result;
    END $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_fnv_hash(text, bigint DEFAULT NULL) RETURNS bigint
  LANGUAGE sql IMMUTABLE AS $$ SELECT redshift_fnv_bytes(convert_to($1, 'UTF8'), $2) $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_fnv_hash(integer, bigint DEFAULT NULL) RETURNS bigint
  LANGUAGE sql IMMUTABLE AS $$ SELECT redshift_fnv_bytes(reverse(int4send($1)), $2) $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_fnv_hash(bigint, bigint DEFAULT NULL) RETURNS bigint
  LANGUAGE sql IMMUTABLE AS $$ SELECT redshift_fnv_bytes(reverse(int8send($1)), $2) $$;

-- VARBYTE -------------------------------------------------------------------------------------------

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

-- Numbers -------------------------------------------------------------------------------------------

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

-- Aggregates ----------------------------------------------------------------------------------------

-- AVG of integers is a whole number, of DECIMALs one with their scale:
-- https://docs.aws.amazon.com/redshift/latest/dg/r_AVG.html . That it rounds is unsourced.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_avg_add(numeric[], numeric) RETURNS numeric[]
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT ARRAY[$1[1] + $2, $1[2] + 1] $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_avg_add(numeric[], bigint) RETURNS numeric[]
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT ARRAY[$1[1] + $2, $1[2] + 1] $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_avg_whole(numeric[]) RETURNS bigint
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT trunc($1[1] / nullif($1[2], 0))::bigint $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_avg_scaled(numeric[]) RETURNS numeric
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT round($1[1] / nullif($1[2], 0), scale($1[1])) $$;
CREATE OR REPLACE AGGREGATE pg_catalog.redshift_avg(bigint)
  (SFUNC = redshift_avg_add, STYPE = numeric[], INITCOND = '{0,0}', FINALFUNC = redshift_avg_whole);
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

-- JSON in text --------------------------------------------------------------------------------------

-- https://docs.aws.amazon.com/redshift/latest/dg/json-functions.html . Wording of the error unsourced.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_json(text, boolean) RETURNS json
  LANGUAGE plpgsql IMMUTABLE STRICT AS $$
    BEGIN
      IF $1 IS JSON THEN RETURN $1::json; END IF;
      IF $2 THEN RETURN NULL; END IF;
      RAISE 'JSON parsing error' USING ERRCODE = '22032';
    END $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_json_path(text, boolean, VARIADIC text[]) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT redshift_json($1, $2) #>> $3 $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_json_extract_array_element_text(
    text, integer, boolean DEFAULT false) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT CASE WHEN document IS NULL THEN NULL
                WHEN json_typeof(document) <> 'array' OR $2 < 0
                     OR $2 >= json_array_length(document) THEN ''
                ELSE document ->> $2 END
      FROM redshift_json($1, $3) AS document $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_json_array_length(text, boolean DEFAULT false)
  RETURNS integer LANGUAGE plpgsql IMMUTABLE STRICT AS $$
    BEGIN
      IF $1 IS JSON ARRAY THEN RETURN json_array_length($1::json); END IF;
      IF $2 THEN RETURN NULL; END IF;
      RAISE 'JSON parsing error' USING ERRCODE = '22032';
    END $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_is_valid_json(text) RETURNS boolean
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT $1 IS JSON OBJECT $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_is_valid_json_array(text) RETURNS boolean
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT $1 IS JSON ARRAY $$;
