-- Where a table's Redshift attributes are kept: encodings, distribution and sort keys, constraints.
-- Run at every start, in each cluster's database, by the superuser; every statement may run again.
SET allow_system_table_mods = on;
CREATE SCHEMA IF NOT EXISTS localaws;

-- One JSON text for each table, as a row of pg_description that describes no object the engine
-- knows (class 0). The engine's catalogue has what an ordinary table has not: serializable
-- transactions that define tables beside each other do not conflict over it.
CREATE OR REPLACE FUNCTION localaws.attributes(relation oid) RETURNS jsonb
  LANGUAGE sql STABLE AS $$
    SELECT description::jsonb FROM pg_description
     WHERE objoid = $1 AND classoid = 0 AND objsubid = 0
  $$;
CREATE OR REPLACE FUNCTION localaws.keep_attributes(relation oid, attributes text) RETURNS void
  LANGUAGE sql SET allow_system_table_mods = on AS $$
    DELETE FROM pg_description WHERE objoid = $1 AND classoid = 0 AND objsubid = 0;
    INSERT INTO pg_description (objoid, classoid, objsubid, description) VALUES ($1, 0, 0, $2);
  $$;
-- What was kept of tables that are gone.
DELETE FROM pg_description
 WHERE classoid = 0 AND NOT EXISTS (SELECT 1 FROM pg_class WHERE oid = objoid);

-- The tables that a foreign key of another table refers to, with the other table and the key.
CREATE OR REPLACE FUNCTION localaws.references_to(relation oid)
  RETURNS TABLE (referring oid, key text)
  LANGUAGE sql STABLE AS $$
    SELECT c.oid, k ->> 'name'
      FROM pg_description d
      JOIN pg_class c ON c.oid = d.objoid
      CROSS JOIN LATERAL jsonb_array_elements(d.description::jsonb -> 'keys') k
     WHERE d.classoid = 0 AND k ->> 'kind' = 'f' AND (k ->> 'references')::oid = $1
  $$;

-- The way back from the names that the engine would cut: long_names.py says how they are made.
CREATE TABLE IF NOT EXISTS localaws.long_names (short text NOT NULL, name text NOT NULL);
CREATE OR REPLACE FUNCTION localaws.in_full(short name) RETURNS varchar(127)
  LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN $1 LIKE '%~____________'
                THEN coalesce((SELECT n.name FROM localaws.long_names n WHERE n.short = $1::text LIMIT 1), $1::text)
                ELSE $1::text END
  $$;
