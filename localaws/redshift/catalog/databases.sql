-- The views that show the databases of a cluster.
-- Run at every start, in each cluster's database, by the superuser; every statement may run again.
SET allow_system_table_mods = on;

-- https://docs.aws.amazon.com/redshift/latest/dg/r_STV_DB_ISOLATION_LEVEL.html
-- The engine's name of a database is redshift_<cluster>_<database>; cluster names have no "_".
DROP VIEW IF EXISTS pg_catalog.stv_db_isolation_level;
CREATE VIEW pg_catalog.stv_db_isolation_level AS
  SELECT substr(d.datname, length(own.prefix) + 1)::char(128) AS db_name,
         CASE WHEN 'localaws.isolation=SERIALIZABLE' = ANY (s.setconfig) THEN 'Serializable'
              ELSE 'Snapshot Isolation' END::char(20) AS isolation_level
    FROM pg_database d
    JOIN (SELECT 'redshift_' || split_part(current_database(), '_', 2) || '_' AS prefix) own
      ON starts_with(d.datname, own.prefix)
    LEFT JOIN pg_db_role_setting s ON s.setdatabase = d.oid AND s.setrole = 0;

-- Whether the transaction has locked a relation that exists, but was made after its snapshot: what
-- the engine would read as empty, and Redshift refuses with error 1018. Asked after every statement
-- that may have waited, so it is a function whose plan is kept.
CREATE OR REPLACE FUNCTION localaws.uses_younger_relation() RETURNS boolean
  LANGUAGE plpgsql AS $$
  BEGIN
    RETURN EXISTS (
      SELECT 1 FROM pg_lock_status() l
       WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.relation >= 16384
         AND NOT EXISTS (SELECT 1 FROM pg_class c WHERE c.oid = l.relation)
         -- gone again, or the engine's own storage for long values
         AND l.relation::regclass::text <> l.relation::text
         AND l.relation::regclass::text NOT LIKE 'pg\_toast.%');
  END $$;
