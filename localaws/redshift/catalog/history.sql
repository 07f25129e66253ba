-- The views about statements, transactions and locks.
-- Run at every start, in each cluster's database, by the superuser; every statement may run again.
-- The facts come from history.py, in two parameters of the session.
SET allow_system_table_mods = on;
CREATE SCHEMA IF NOT EXISTS localaws;

-- https://docs.aws.amazon.com/redshift/latest/dg/PG_LAST_QUERY_ID.html
CREATE OR REPLACE FUNCTION pg_catalog.pg_last_query_id() RETURNS bigint
  LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('localaws.last', true), ''), '-1')::bigint
  $$;

-- One row for each SQL text of a call. `xact` is the number of the call: its texts share it whether
-- or not they shared a transaction.
DROP VIEW IF EXISTS localaws.past CASCADE;
CREATE VIEW localaws.past AS
  SELECT p.query, p.xact, p.pid, p."database", p."user", p.label, p.type, p.status, p.error,
         to_timestamp(p.start) AT TIME ZONE 'UTC' AS started_at,
         to_timestamp(p."end") AT TIME ZONE 'UTC' AS ended_at,
         (p.queued * 1000000)::bigint AS queued_for,
         (CASE WHEN p.status = 'running'
               THEN greatest(extract(epoch FROM clock_timestamp()) - p.start, 0)
               ELSE p.took END * 1000000)::bigint AS ran_for,
         p.rows, p.bytes, p.sql
    FROM jsonb_to_recordset(
           coalesce(nullif(current_setting('localaws.past', true), ''), '[]')::jsonb)
      AS p(query bigint, xact bigint, pid integer, "database" text, "user" text, label text,
           type text, status text, error text, start double precision, "end" double precision,
           queued double precision, took double precision, rows bigint, bytes bigint, sql text);

-- A text in pieces of so many characters, newlines shown as \n.
CREATE OR REPLACE FUNCTION localaws.pieces(sql text, size integer, most integer)
  RETURNS TABLE (sequence integer, piece text) LANGUAGE sql IMMUTABLE AS $$
    SELECT n, substr(t.shown, n * size + 1, size)
      FROM (SELECT replace(sql, E'\n', '\n') AS shown) t,
           generate_series(0, least((greatest(length(t.shown), 1) - 1) / size, most - 1)) AS n
  $$;

-- https://docs.aws.amazon.com/redshift/latest/dg/SYS_QUERY_HISTORY.html ; without the columns about
-- workload management and compilation
CREATE VIEW pg_catalog.sys_query_history AS
  SELECT 100 AS user_id, query AS query_id, left(label, 320)::char(320) AS query_label,
         xact AS transaction_id, pid AS session_id, left("database", 128)::char(128) AS database_name,
         type::char(32) AS query_type, status::char(10) AS status, false AS result_cache_hit,
         started_at AS start_time, ended_at AS end_time, queued_for + ran_for AS elapsed_time,
         queued_for AS queue_time, ran_for AS execution_time,
         left(error, 512)::char(512) AS error_message, rows AS returned_rows,
         bytes AS returned_bytes, left(sql, 4000)::char(4000) AS query_text
    FROM localaws.past;

-- https://docs.aws.amazon.com/redshift/latest/dg/SYS_QUERY_TEXT.html
CREATE VIEW pg_catalog.sys_query_text AS
  SELECT 100 AS user_id, query AS query_id, xact AS transaction_id, pid AS session_id,
         started_at AS start_time, sequence, piece::char(4000) AS text
    FROM localaws.past, localaws.pieces(sql, 4000, 1000);

-- Queries only, once they have ended: https://docs.aws.amazon.com/redshift/latest/dg/r_STL_QUERY.html
CREATE VIEW pg_catalog.stl_query AS
  SELECT 100 AS userid, query::integer AS query, left(label, 320)::char(320) AS label, xact AS xid,
         pid, left("database", 32)::char(32) AS database, left(sql, 4000)::char(4000) AS querytxt,
         started_at AS starttime, ended_at AS endtime, (status <> 'success')::integer AS aborted,
         0 AS insert_pristine, 0 AS concurrency_scaling_status
    FROM localaws.past WHERE ended_at IS NOT NULL AND type NOT IN ('DDL', 'UTILITY');

-- https://docs.aws.amazon.com/redshift/latest/dg/r_STL_QUERYTEXT.html
CREATE VIEW pg_catalog.stl_querytext AS
  SELECT 100 AS userid, xact AS xid, pid, query::integer AS query, sequence,
         piece::char(200) AS text
    FROM localaws.past, localaws.pieces(sql, 200, 327)
   WHERE ended_at IS NOT NULL AND type NOT IN ('DDL', 'UTILITY');

-- https://docs.aws.amazon.com/redshift/latest/dg/r_SVL_STATEMENTTEXT.html
CREATE VIEW pg_catalog.svl_statementtext AS
  SELECT 100 AS userid, xact AS xid, pid, left(label, 320)::char(320) AS label,
         started_at AS starttime, ended_at AS endtime, sequence,
         CASE WHEN type IN ('DDL', 'UTILITY') THEN type ELSE 'QUERY' END::varchar(10) AS type,
         piece::char(200) AS text
    FROM localaws.past, localaws.pieces(sql, 200, 327) WHERE ended_at IS NOT NULL;

-- https://docs.aws.amazon.com/redshift/latest/dg/r_STL_DDLTEXT.html
CREATE VIEW pg_catalog.stl_ddltext AS
  SELECT userid, xid, pid, label, starttime, endtime, sequence, text
    FROM pg_catalog.svl_statementtext WHERE type = 'DDL';

-- https://docs.aws.amazon.com/redshift/latest/dg/r_STL_UTILITYTEXT.html
CREATE VIEW pg_catalog.stl_utilitytext AS
  SELECT userid, xid, pid, label, starttime, endtime, sequence, text
    FROM pg_catalog.svl_statementtext WHERE type = 'UTILITY';

-- https://docs.aws.amazon.com/redshift/latest/dg/r_STV_RECENTS.html
CREATE VIEW pg_catalog.stv_recents AS
  SELECT 100 AS userid, CASE WHEN ended_at IS NULL THEN 'Running' ELSE 'Done' END::char(20) AS status,
         started_at AS starttime, least(ran_for, 2147483647)::integer AS duration,
         left("user", 50)::char(50) AS user_name, left("database", 50)::char(50) AS db_name,
         left(sql, 600)::char(600) AS query, CASE WHEN ended_at IS NULL THEN pid ELSE -1 END AS pid
    FROM localaws.past WHERE status <> 'queued';

-- https://docs.aws.amazon.com/redshift/latest/dg/r_STV_INFLIGHT.html
CREATE VIEW pg_catalog.stv_inflight AS
  SELECT 100 AS userid, 0 AS slice, query::integer AS query, left(label, 320)::char(320) AS label,
         xact AS xid, pid, started_at AS starttime, left(sql, 100)::char(100) AS text,
         0 AS suspended, 0 AS insert_pristine, 0 AS concurrency_scaling_status
    FROM localaws.past WHERE status = 'running' AND type NOT IN ('DDL', 'UTILITY');

-- Who lost to a concurrent transaction (error 1023); the table is not known here.
-- https://docs.aws.amazon.com/redshift/latest/dg/r_STL_TR_CONFLICT.html
CREATE VIEW pg_catalog.stl_tr_conflict AS
  SELECT xact AS xact_id, pid AS process_id, started_at AS xact_start_ts, ended_at AS abort_time,
         0 AS table_id
    FROM localaws.past WHERE status = 'failed' AND error LIKE 'ERROR: 1023 %';

-- The connections of this cluster's databases that are in use.
DROP VIEW IF EXISTS localaws.connections CASCADE;
CREATE VIEW localaws.connections AS
  SELECT a.pid, substr(a.datname::text, length(c.prefix) + 1) AS "database", a.datid,
         coalesce((SELECT p."user" FROM localaws.past p
                    WHERE p.pid = a.pid ORDER BY p.query DESC LIMIT 1), a.usename::text) AS "user",
         a.backend_start AT TIME ZONE 'UTC' AS connected_at,
         a.xact_start AT TIME ZONE 'UTC' AS begun_at, a.backend_xid
    FROM pg_stat_activity a,
         (SELECT left(current_database(),
                      length(current_database()) - length(redshift_database())) AS prefix) c
   WHERE starts_with(a.datname::text, c.prefix) AND a.backend_type = 'client backend'
     AND a.state <> 'idle';

-- https://docs.aws.amazon.com/redshift/latest/dg/r_STV_SESSIONS.html
CREATE VIEW pg_catalog.stv_sessions AS
  SELECT connected_at AS starttime, pid AS process, left("user", 50)::char(50) AS user_name,
         left("database", 50)::char(50) AS db_name, 0 AS timeout_sec
    FROM localaws.connections;

-- https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_TRANSACTIONS.html
CREATE VIEW pg_catalog.svv_transactions AS
  SELECT c."user" AS txn_owner, c."database" AS txn_db,
         coalesce(c.backend_xid::text::bigint, 0) AS xid, c.pid, c.begun_at AS txn_start,
         l.mode AS lock_mode, l.locktype AS lockable_object_type,
         l.relation::bigint::integer AS relation, l.granted
    FROM localaws.connections c JOIN pg_locks l ON l.pid = c.pid
   WHERE l.locktype = 'transactionid' OR (l.locktype = 'relation' AND l.relation >= 16384);

-- Locks that keep writers out: https://docs.aws.amazon.com/redshift/latest/dg/r_STV_LOCKS.html
CREATE VIEW pg_catalog.stv_locks AS
  SELECT t.relation AS table_id, t.txn_start AS last_update, t.xid AS lock_owner,
         t.pid AS lock_owner_pid, t.txn_start AS lock_owner_start_ts,
         NULL::timestamp AS lock_owner_end_ts,
         CASE WHEN t.granted THEN 'Holding write lock' ELSE 'Waiting for write lock'
         END::char(22) AS lock_status
    FROM pg_catalog.svv_transactions t
   WHERE t.relation IS NOT NULL
     AND t.lock_mode IN ('ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock');
