-- Functions on SUPER values: https://docs.aws.amazon.com/redshift/latest/dg/super-overview.html
-- Run at every start, in each cluster's database, by the superuser; every statement may run again.
SET allow_system_table_mods = on;

-- Navigation, in lax mode: null where there is nothing.
-- https://docs.aws.amazon.com/redshift/latest/dg/query-super.html
-- A JSON null that is reached is NULL; unsourced, as are negative positions, which reach nothing.
CREATE OR REPLACE FUNCTION pg_catalog.super_get(super, text) RETURNS super
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT nullif($1::jsonb -> $2, 'null')::super $$;
CREATE OR REPLACE FUNCTION pg_catalog.super_get(super, integer) RETURNS super
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN $2 >= 0 THEN nullif($1::jsonb -> $2, 'null') END::super $$;

-- Unnesting. What it does with a value that is no array is unsourced, so that is refused.
CREATE OR REPLACE FUNCTION pg_catalog.super_elements(super) RETURNS jsonb
  LANGUAGE plpgsql IMMUTABLE STRICT AS $$
    BEGIN
      IF jsonb_typeof($1::jsonb) <> 'array' THEN
        RAISE 'localaws does not support unnesting a SUPER value that is not an array'
          USING ERRCODE = '0A000';
      END IF;
      RETURN $1::jsonb;
    END $$;
CREATE OR REPLACE FUNCTION pg_catalog.super_items(super) RETURNS SETOF super
  LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT nullif(item, 'null')::super FROM jsonb_array_elements(super_elements($1)) AS item $$;
CREATE OR REPLACE FUNCTION pg_catalog.super_items_at(super, OUT super, OUT bigint)
  RETURNS SETOF record LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT nullif(item, 'null')::super, place - 1
      FROM jsonb_array_elements(super_elements($1)) WITH ORDINALITY AS items(item, place) $$;
CREATE OR REPLACE FUNCTION pg_catalog.super_attributes(super, OUT super, OUT varchar)
  RETURNS SETOF record LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT nullif(pair.value, 'null')::super, pair.key::varchar
      FROM jsonb_each(CASE jsonb_typeof($1::jsonb) WHEN 'object' THEN $1::jsonb ELSE '{}' END) AS pair $$;

-- Construction: https://docs.aws.amazon.com/redshift/latest/dg/r_array.html , r_object_function.html
CREATE OR REPLACE FUNCTION pg_catalog.super_array(VARIADIC jsonb[]) RETURNS super
  LANGUAGE sql IMMUTABLE AS $$ SELECT to_jsonb($1)::super $$;
CREATE OR REPLACE FUNCTION pg_catalog.super_array() RETURNS super
  LANGUAGE sql IMMUTABLE AS $$ SELECT '[]'::jsonb::super $$;
CREATE OR REPLACE FUNCTION pg_catalog.super_object(VARIADIC "any") RETURNS super
  LANGUAGE internal IMMUTABLE AS 'jsonb_build_object';
CREATE OR REPLACE FUNCTION pg_catalog.super_object() RETURNS super
  LANGUAGE internal IMMUTABLE AS 'jsonb_build_object_noargs';

-- Inspection: https://docs.aws.amazon.com/redshift/latest/dg/query-super.html#introspection : false
-- for NULL. A number's type is told from its value: the engine keeps no floating-point ones.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_json_typeof(super) RETURNS varchar
  LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce(jsonb_typeof($1::jsonb), 'null')::varchar $$;
CREATE OR REPLACE FUNCTION pg_catalog.super_whole(super, numeric, numeric)
  RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
    BEGIN
      IF $1 IS NULL OR jsonb_typeof($1::jsonb) <> 'number' THEN RETURN false; END IF;
      RETURN scale(($1::jsonb)::numeric) = 0 AND ($1::jsonb)::numeric BETWEEN $2 AND $3;
    END $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_is_smallint(super) RETURNS boolean
  LANGUAGE sql IMMUTABLE AS $$ SELECT super_whole($1, -32768, 32767) $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_is_integer(super) RETURNS boolean
  LANGUAGE sql IMMUTABLE AS $$ SELECT super_whole($1, -2147483648, 2147483647) $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_is_bigint(super) RETURNS boolean
  LANGUAGE sql IMMUTABLE AS $$ SELECT super_whole($1, -9223372036854775808, 9223372036854775807) $$;
DO $$
DECLARE
  one text; kinds text;
BEGIN
  FOR one, kinds IN VALUES ('array', 'array'), ('boolean', 'boolean'), ('decimal', 'number'),
      ('object', 'object'), ('varchar', 'string'), ('scalar', 'boolean,number,string') LOOP
    EXECUTE format('CREATE OR REPLACE FUNCTION pg_catalog.redshift_is_%s(super) RETURNS boolean '
      'LANGUAGE sql IMMUTABLE AS ''SELECT coalesce(jsonb_typeof($1::jsonb) IN (%s), false)''',
      one, '''''' || replace(kinds, ',', ''''', ''''') || '''''');
  END LOOP;
END $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_is_char(super) RETURNS boolean
  LANGUAGE sql IMMUTABLE AS $$
    SELECT redshift_is_varchar($1) AND octet_length($1::jsonb #>> '{}') = length($1::jsonb #>> '{}') $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_decimal_precision(super) RETURNS integer
  LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT CASE WHEN redshift_is_decimal($1)
                THEN length(regexp_replace($1::jsonb #>> '{}', '[^0-9]', '', 'g')) END $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_decimal_scale(super) RETURNS integer
  LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT CASE WHEN redshift_is_decimal($1) THEN scale(($1::jsonb #>> '{}')::numeric) END $$;

-- Text: https://docs.aws.amazon.com/redshift/latest/dg/JSON_SERIALIZE.html , without spaces
CREATE OR REPLACE FUNCTION pg_catalog.super_text(super) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT regexp_replace($1::jsonb::text, '("(?:\\.|[^"\\])*")|([:,]) ', '\1\2', 'g') $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_json_serialize(super) RETURNS varchar
  LANGUAGE plpgsql IMMUTABLE STRICT AS $$
    DECLARE serialized text := super_text($1);
    BEGIN
      IF octet_length(serialized) > 65535 THEN  -- wording unsourced
        RAISE 'The serialized SUPER value is longer than 65535 bytes' USING ERRCODE = '22001';
      END IF;
      RETURN serialized;
    END $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_json_serialize_to_varbyte(super) RETURNS bytea
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT convert_to(super_text($1), 'UTF8') $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_json_size(super) RETURNS integer
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT octet_length(super_text($1)) $$;
-- An object may name an attribute once only, and a string has 65,535 bytes at most:
-- https://docs.aws.amazon.com/redshift/latest/dg/super-configurations.html ; wordings unsourced
CREATE OR REPLACE FUNCTION pg_catalog.json_parse(text) RETURNS super
  LANGUAGE plpgsql IMMUTABLE STRICT AS $$
  BEGIN
    IF $1 IS NOT JSON WITH UNIQUE KEYS THEN
      IF $1 IS JSON THEN
        RAISE 'duplicate attribute in object' USING ERRCODE = '22030';
      END IF;
      RAISE 'invalid JSON' USING ERRCODE = '22032';
    ELSIF octet_length($1) > 65535 AND EXISTS (
        SELECT 1 FROM jsonb_path_query($1::jsonb, 'strict $.**') AS part
         WHERE jsonb_typeof(part) = 'string' AND octet_length(part #>> '{}') > 65535) THEN
      RAISE 'a string inside a SUPER value is longer than 65535 bytes' USING ERRCODE = '22001';
    END IF;
    RETURN $1::jsonb::super;
  END $$;
CREATE OR REPLACE FUNCTION pg_catalog.json_parse(bytea) RETURNS super
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT json_parse(convert_from($1, 'UTF8')) $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_can_json_parse(text) RETURNS boolean
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT $1 IS JSON WITH UNIQUE KEYS $$;

-- Arrays: https://docs.aws.amazon.com/redshift/latest/dg/c_Array_Functions.html . What is no array
-- gives null, as mistyped arguments do (query-super.html).
CREATE OR REPLACE FUNCTION pg_catalog.redshift_array_concat(super, super) RETURNS super
  LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT CASE WHEN redshift_is_array($1) AND redshift_is_array($2)
                THEN ($1::jsonb || $2::jsonb)::super END $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_array_flatten(super) RETURNS super
  LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT CASE WHEN redshift_is_array($1) THEN
      (SELECT coalesce(jsonb_agg(part ORDER BY place, inner_place), '[]')::super
         FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS items(item, place),
              jsonb_array_elements(CASE jsonb_typeof(item) WHEN 'array' THEN item
                                   ELSE jsonb_build_array(item) END)
                WITH ORDINALITY AS parts(part, inner_place)) END $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_get_array_length(super) RETURNS bigint
  LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT CASE WHEN redshift_is_array($1) THEN jsonb_array_length($1::jsonb) END::bigint $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_split_to_array(text, text DEFAULT ',') RETURNS super
  LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT to_jsonb(string_to_array($1, $2))::super $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_subarray(super, integer, integer) RETURNS super
  LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT CASE WHEN redshift_is_array($1) THEN
      (SELECT coalesce(jsonb_agg(item ORDER BY place), '[]')::super
         FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS items(item, place),
              LATERAL (SELECT CASE WHEN $2 < 0 THEN jsonb_array_length($1::jsonb) + $2 ELSE $2 END)
                AS start(first)
        WHERE place > first AND place <= first + $3) END $$;

-- Arithmetic and aggregates, by the value's own type: what is no number is null.
CREATE OR REPLACE FUNCTION pg_catalog.super_number(super) RETURNS numeric
  LANGUAGE plpgsql IMMUTABLE STRICT AS $$
    BEGIN
      RETURN CASE jsonb_typeof($1::jsonb) WHEN 'number' THEN ($1::jsonb)::numeric END;
    END $$;
DO $$
DECLARE
  sign text; name text;
BEGIN
  FOR sign, name IN VALUES ('+', 'plus'), ('-', 'minus'), ('*', 'times') LOOP
    EXECUTE format($f$
      CREATE OR REPLACE FUNCTION pg_catalog.super_%s(super, super) RETURNS super LANGUAGE sql
        IMMUTABLE STRICT AS 'SELECT to_jsonb(super_number($1) %s super_number($2))::super' $f$,
      name, sign);
    EXECUTE format($f$
      CREATE OR REPLACE FUNCTION pg_catalog.super_%s(super, anyelement) RETURNS super LANGUAGE sql
        STABLE STRICT AS 'SELECT $1 OPERATOR(pg_catalog.%s) super_part($2)' $f$, name, sign);
    EXECUTE format($f$
      CREATE OR REPLACE FUNCTION pg_catalog.super_%s(anyelement, super) RETURNS super LANGUAGE sql
        STABLE STRICT AS 'SELECT super_part($1) OPERATOR(pg_catalog.%s) $2' $f$, name, sign);
    PERFORM pg_temp.once(format('CREATE OPERATOR pg_catalog.%s (LEFTARG = super, '
      'RIGHTARG = super, FUNCTION = super_%s)', sign, name));
    PERFORM pg_temp.once(format('CREATE OPERATOR pg_catalog.%s (LEFTARG = super, '
      'RIGHTARG = anyelement, FUNCTION = super_%s)', sign, name));
    PERFORM pg_temp.once(format('CREATE OPERATOR pg_catalog.%s (LEFTARG = anyelement, '
      'RIGHTARG = super, FUNCTION = super_%s)', sign, name));
  END LOOP;
END $$;
CREATE OR REPLACE FUNCTION pg_catalog.super_add(super, super) RETURNS super
  LANGUAGE sql IMMUTABLE AS $$
    SELECT to_jsonb(coalesce(super_number($1) + super_number($2), super_number($1),
                             super_number($2)))::super $$;
CREATE OR REPLACE AGGREGATE pg_catalog.sum(super) (SFUNC = super_add, STYPE = super);

-- https://docs.aws.amazon.com/redshift/latest/dg/r_object_transform_function.html . Paths are arrays of
-- names; `changes` holds a path and a value in turn.
CREATE OR REPLACE FUNCTION pg_catalog.super_put(target jsonb, path text[], value jsonb) RETURNS jsonb
  LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE jsonb_typeof(target) WHEN 'object' THEN target ELSE '{}' END
           || jsonb_build_object(path[1], CASE WHEN cardinality(path) = 1 THEN value
                ELSE super_put(target -> path[1], path[2:], value) END) $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_object_transform(super, kept jsonb, changes jsonb)
  RETURNS super LANGUAGE plpgsql IMMUTABLE AS $$
    DECLARE
      source jsonb := $1::jsonb; result jsonb := '{}'; one jsonb; path text[];
    BEGIN
      IF source IS NULL OR jsonb_typeof(source) <> 'object' THEN RETURN $1; END IF;
      FOR one IN SELECT jsonb_array_elements(kept) LOOP
        path := ARRAY(SELECT jsonb_array_elements_text(one));
        IF source #> path IS NOT NULL THEN result := super_put(result, path, source #> path); END IF;
      END LOOP;
      FOR place IN 0 .. jsonb_array_length(changes) - 1 BY 2 LOOP
        path := ARRAY(SELECT jsonb_array_elements_text(changes -> place));
        result := super_put(result, path, changes -> place + 1);
      END LOOP;
      RETURN result::super;
    END $$;
