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
