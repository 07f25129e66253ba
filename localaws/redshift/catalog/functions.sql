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
