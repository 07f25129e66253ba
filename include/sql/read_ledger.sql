-- What a target holds. The ledger is the truth; the state document is a cache of it.
{% set ledger = schema | identifier ~ "." ~ ledger_table | identifier %}

-- name: entries
-- Of the batches asked for, those applied, with the rows they merged; and the newest base, because
-- it covers batches that were never applied.
SELECT batch_id, kind, read_from, rows_staged, rows_merged, rows_stale, rows_set_aside, loaded_at
FROM {{ ledger }}
WHERE batch_id IN ({{ batch_ids | literals }})
   OR (kind = 'base' AND read_from = (SELECT MAX(read_from) FROM {{ ledger }} WHERE kind = 'base'));

-- name: newest
-- The ids of everything applied: they carry the epochs (protocol rule 22).
SELECT batch_id FROM {{ ledger }} ORDER BY high DESC, loaded_at DESC;
