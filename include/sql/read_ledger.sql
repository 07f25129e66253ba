-- What a target holds. The ledger is the truth; the state document is a cache of it.
{% set ledger = schema | identifier ~ "." ~ ledger_table | identifier %}

-- name: entries
-- Of the batches asked for, those applied, with the rows they merged.
SELECT batch_id, rows_staged, rows_merged, rows_stale, loaded_at
FROM {{ ledger }}
WHERE batch_id IN ({{ batch_ids | literals }});

-- name: newest
-- The ids of everything applied: they carry the epochs (protocol rule 22).
SELECT batch_id FROM {{ ledger }} ORDER BY high DESC, loaded_at DESC;
