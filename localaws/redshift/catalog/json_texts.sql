-- JSON in text. See functions.sql for how they are named.
-- Run at every start, in each cluster's database, by the superuser; every statement may run again.
SET allow_system_table_mods = on;

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
