-- The type SUPER: https://docs.aws.amazon.com/redshift/latest/dg/r_SUPER_type.html
-- Run at every start, in each cluster's database, by the superuser; every statement may run again.
--
-- It is stored as jsonb is, but is a type of its own, because two things differ at the root: a bare
-- string is a JSON string and is never parsed (https://docs.aws.amazon.com/redshift/latest/dg/ingest-super.html),
-- and comparisons and casts are dynamic: what does not fit is false or null and no error
-- (https://docs.aws.amazon.com/redshift/latest/dg/query-super.html).
-- In a binary COPY its wire format is that of jsonb. A text COPY that brings JSON must first say
-- SET LOCAL localaws.super_input = 'json'. Inside the engine, x::jsonb and x::super convert freely.
SET allow_system_table_mods = on;

-- Runs a statement that has no IF NOT EXISTS of its own.
CREATE OR REPLACE FUNCTION pg_temp.once(statement text) RETURNS void LANGUAGE plpgsql AS $$
  BEGIN EXECUTE statement; EXCEPTION WHEN duplicate_object OR duplicate_function THEN NULL; END $$;

-- 4000 is the type's OID in Redshift, by which drivers know it:
-- https://github.com/aws/amazon-redshift-python-driver (redshift_connector/utils/oids.py)
INSERT INTO pg_type
  SELECT (jsonb_populate_record(t, '{"oid": 4000, "typname": "super", "typcategory": "U",
                                     "typarray": 0, "typsubscript": 0}')).*
    FROM pg_type t
   WHERE oid = 'jsonb'::regtype AND NOT EXISTS (SELECT 1 FROM pg_type WHERE oid = 4000);
SELECT pg_temp.once('CREATE CAST (super AS jsonb) WITHOUT FUNCTION'),
       pg_temp.once('CREATE CAST (jsonb AS super) WITHOUT FUNCTION AS ASSIGNMENT');

-- Not SQL, which would be inlined into super_in and evaluated there for constants.
CREATE OR REPLACE FUNCTION pg_catalog.super_read(text) RETURNS super
  LANGUAGE plpgsql STABLE STRICT AS $$ BEGIN RETURN $1::jsonb::super; END $$;
-- The engine lets only C functions take a cstring, so super_in is told afterwards that it does.
DO $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_proc WHERE proname = 'super_in') THEN
    CREATE FUNCTION pg_catalog.super_in(text) RETURNS super LANGUAGE sql STABLE STRICT AS
      'SELECT CASE WHEN current_setting(''localaws.super_input'', true) = ''json''
                   THEN super_read($1::text) ELSE to_jsonb($1::text)::super END';
    UPDATE pg_proc SET proargtypes = '2275' WHERE proname = 'super_in';
    UPDATE pg_type SET typinput = 'pg_catalog.super_in'::regproc WHERE oid = 4000;
  END IF;
END $$;

-- Into SUPER goes everything but dates and times; out of it everything goes, and what the other type
-- cannot read is null: https://docs.aws.amazon.com/redshift/latest/dg/limitations-super.html
-- (PL/pgSQL where an inlined cast of a constant would be evaluated although a CASE guards it.)
CREATE OR REPLACE FUNCTION pg_catalog.super(character) RETURNS super LANGUAGE sql IMMUTABLE STRICT
  AS $$ SELECT to_jsonb(rtrim($1))::super $$;
CREATE OR REPLACE FUNCTION pg_catalog.super_scalar(super) RETURNS text LANGUAGE sql IMMUTABLE STRICT
  AS $$ SELECT CASE WHEN jsonb_typeof($1::jsonb) NOT IN ('array', 'object')
                    THEN $1::jsonb #>> '{}' END $$;
CREATE OR REPLACE FUNCTION pg_catalog.super_boolean(super) RETURNS boolean
  LANGUAGE plpgsql IMMUTABLE STRICT AS $$ BEGIN
    RETURN CASE jsonb_typeof($1::jsonb)
             WHEN 'boolean' THEN ($1::jsonb)::boolean
             WHEN 'number' THEN CASE WHEN scale(($1::jsonb)::numeric) = 0
                                     THEN ($1::jsonb)::numeric <> 0 END
             WHEN 'string' THEN CASE WHEN pg_input_is_valid($1::jsonb #>> '{}', 'boolean')
                                     THEN ($1::jsonb #>> '{}')::boolean END
           END; END $$;
DO $$
DECLARE
  one text;
BEGIN
  FOREACH one IN ARRAY '{smallint,integer,bigint,numeric,real,double precision}'::text[] LOOP
    EXECUTE format($f$
      CREATE OR REPLACE FUNCTION pg_catalog.super_%s(super) RETURNS %s
        LANGUAGE plpgsql IMMUTABLE STRICT AS 'BEGIN RETURN CASE jsonb_typeof($1::jsonb)
          WHEN ''number'' THEN CASE WHEN %s THEN ($1::jsonb)::numeric::%2$s END
          WHEN ''string'' THEN CASE WHEN pg_input_is_valid($1::jsonb #>> ''{}'', ''%2$s'')
                                    THEN ($1::jsonb #>> ''{}'')::%2$s END
          WHEN ''boolean'' THEN ($1::jsonb)::boolean::integer::%2$s END; END' $f$,
      replace(one, ' ', '_'), one,
      CASE one WHEN 'smallint' THEN 'round(($1::jsonb)::numeric) BETWEEN -32768 AND 32767'
               WHEN 'integer' THEN 'round(($1::jsonb)::numeric) BETWEEN -2147483648 AND 2147483647'
               WHEN 'bigint' THEN 'round(($1::jsonb)::numeric) BETWEEN -9223372036854775808 '
                                  'AND 9223372036854775807'
               ELSE 'true' END);
  END LOOP;
  FOREACH one IN ARRAY '{date,time,timetz,timestamp,timestamptz}'::text[] LOOP
    EXECUTE format($f$
      CREATE OR REPLACE FUNCTION pg_catalog.super_%s(super) RETURNS %1$s
        LANGUAGE plpgsql STABLE STRICT AS 'BEGIN RETURN CASE
          WHEN jsonb_typeof($1::jsonb) = ''string''
               AND pg_input_is_valid($1::jsonb #>> ''{}'', ''%1$s'')
          THEN ($1::jsonb #>> ''{}'')::%1$s END; END' $f$, one);
  END LOOP;
  FOREACH one IN ARRAY '{smallint,integer,bigint,numeric,real,double precision,boolean,text}'::text[]
  LOOP
    EXECUTE format('CREATE OR REPLACE FUNCTION pg_catalog.super(%s) RETURNS super '
                   'LANGUAGE sql IMMUTABLE STRICT AS ''SELECT to_jsonb($1)::super''', one);
  END LOOP;
END $$;
SELECT pg_temp.once(format(
         'CREATE CAST (%s AS super) WITH FUNCTION pg_catalog.super(%s) AS ASSIGNMENT', one,
         CASE one WHEN 'varchar' THEN 'text' ELSE one END))
  FROM unnest('{smallint,integer,bigint,numeric,real,double precision,boolean,text,varchar,
                character}'::text[]) AS one;
SELECT pg_temp.once(format('CREATE CAST (super AS %s) WITH FUNCTION pg_catalog.super_%s(super) AS ASSIGNMENT',
         one, CASE WHEN one IN ('text', 'varchar', 'character') THEN 'scalar'
                   ELSE replace(one, ' ', '_') END))
  FROM unnest('{smallint,integer,bigint,numeric,real,double precision,boolean,text,varchar,character,
                date,time,timetz,timestamp,timestamptz}'::text[]) AS one;

-- What an expression of any type is inside a SUPER value. The words for dates are those of
-- https://docs.aws.amazon.com/redshift/latest/dg/r_object_function.html
CREATE OR REPLACE FUNCTION pg_catalog.super_part(anyelement) RETURNS super
  LANGUAGE sql STABLE AS $$ SELECT to_jsonb($1)::super $$;
CREATE OR REPLACE FUNCTION pg_catalog.super_part(super) RETURNS super
  LANGUAGE sql IMMUTABLE AS $$ SELECT $1 $$;
CREATE OR REPLACE FUNCTION pg_catalog.super_part(text) RETURNS super
  LANGUAGE sql IMMUTABLE AS $$ SELECT to_jsonb($1)::super $$;
CREATE OR REPLACE FUNCTION pg_catalog.super_part(character) RETURNS super
  LANGUAGE sql IMMUTABLE AS $$ SELECT to_jsonb(rtrim($1))::super $$;
DO $$
DECLARE
  one text;
BEGIN
  FOREACH one IN ARRAY '{date,time,timetz,timestamp,timestamptz}'::text[] LOOP
    EXECUTE format($f$
      CREATE OR REPLACE FUNCTION pg_catalog.super_part(%s) RETURNS super LANGUAGE plpgsql AS
        'BEGIN RAISE ''could not convert type %1$s to super'' USING ERRCODE = ''42846''; END' $f$,
      one);
  END LOOP;
END $$;

-- Comparisons. Equality is deep and false between types; the others are null between types, and
-- only ORDER BY and the like know a total order: boolean, number, string, array, object.
CREATE OR REPLACE FUNCTION pg_catalog.super_eq(super, super) RETURNS boolean
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'jsonb_eq';
CREATE OR REPLACE FUNCTION pg_catalog.super_ne(super, super) RETURNS boolean
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'jsonb_ne';
CREATE OR REPLACE FUNCTION pg_catalog.super_hash(super) RETURNS integer
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'jsonb_hash';
CREATE OR REPLACE FUNCTION pg_catalog.super_rank(super) RETURNS integer
  LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT CASE jsonb_typeof($1::jsonb) WHEN 'null' THEN 0 WHEN 'boolean' THEN 1 WHEN 'number' THEN 2
             WHEN 'string' THEN 3 WHEN 'array' THEN 4 ELSE 5 END $$;
CREATE OR REPLACE FUNCTION pg_catalog.super_cmp(super, super) RETURNS integer
  LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT CASE super_rank($1) - super_rank($2) WHEN 0 THEN jsonb_cmp($1::jsonb, $2::jsonb)
             ELSE super_rank($1) - super_rank($2) END $$;
DO $$
DECLARE
  sign text; name text;
BEGIN
  FOR sign, name IN VALUES ('<', 'lt'), ('<=', 'le'), ('>', 'gt'), ('>=', 'ge') LOOP
    EXECUTE format($f$
      CREATE OR REPLACE FUNCTION pg_catalog.super_%s(super, super) RETURNS boolean
        LANGUAGE sql IMMUTABLE STRICT AS 'SELECT CASE WHEN super_rank($1) = super_rank($2)
          AND super_rank($1) <= 3 THEN $1::jsonb %s $2::jsonb END' $f$, name, sign);
  END LOOP;
  FOR sign, name IN VALUES ('=', 'eq'), ('<>', 'ne'), ('<', 'lt'), ('<=', 'le'), ('>', 'gt'),
      ('>=', 'ge') LOOP
    PERFORM pg_temp.once(format(
      'CREATE OPERATOR pg_catalog.%s (LEFTARG = super, RIGHTARG = super, FUNCTION = super_%s, '
      '%s)', sign, name,
      CASE name WHEN 'eq' THEN 'COMMUTATOR = =, HASHES, MERGES, RESTRICT = eqsel, JOIN = eqjoinsel'
                WHEN 'ne' THEN 'RESTRICT = neqsel, JOIN = neqjoinsel'
                ELSE 'RESTRICT = scalarltsel, JOIN = scalarltjoinsel' END));
    -- Beside a value of another type, as in s.price > 10.
    EXECUTE format($f$
      CREATE OR REPLACE FUNCTION pg_catalog.super_%s(super, anyelement) RETURNS boolean
        LANGUAGE sql STABLE AS 'SELECT $1 OPERATOR(pg_catalog.%s) super_part($2)' $f$, name, sign);
    EXECUTE format($f$
      CREATE OR REPLACE FUNCTION pg_catalog.super_%s(anyelement, super) RETURNS boolean
        LANGUAGE sql STABLE AS 'SELECT super_part($1) OPERATOR(pg_catalog.%s) $2' $f$, name, sign);
    PERFORM pg_temp.once(format('CREATE OPERATOR pg_catalog.%s (LEFTARG = super, '
      'RIGHTARG = anyelement, FUNCTION = super_%s)', sign, name));
    PERFORM pg_temp.once(format('CREATE OPERATOR pg_catalog.%s (LEFTARG = anyelement, '
      'RIGHTARG = super, FUNCTION = super_%s)', sign, name));
  END LOOP;
END $$;
SELECT pg_temp.once('CREATE OPERATOR CLASS pg_catalog.super_ops DEFAULT FOR TYPE super USING btree AS
         OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
         FUNCTION 1 super_cmp(super, super)'),
       pg_temp.once('CREATE OPERATOR CLASS pg_catalog.super_hash_ops DEFAULT FOR TYPE super
         USING hash AS OPERATOR 1 =, FUNCTION 1 super_hash(super)');
