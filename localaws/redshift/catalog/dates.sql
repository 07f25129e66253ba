-- Date and time functions. See functions.sql for how they are named.
-- Run at every start, in each cluster's database, by the superuser; every statement may run again.
SET allow_system_table_mods = on;

-- https://docs.aws.amazon.com/redshift/latest/dg/r_GETDATE.html (statement, whole seconds)
-- and https://docs.aws.amazon.com/redshift/latest/dg/r_SYSDATE.html (transaction, microseconds).
CREATE OR REPLACE FUNCTION pg_catalog.getdate() RETURNS timestamp
  LANGUAGE sql STABLE AS $$ SELECT date_trunc('second', statement_timestamp() AT TIME ZONE INTERVAL '0') $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_sysdate() RETURNS timestamp
  LANGUAGE sql STABLE AS $$ SELECT transaction_timestamp() AT TIME ZONE INTERVAL '0' $$;

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
