-- An example for RedshiftTransactionOperator (docs/transactions.md): replace one day of a summary.
-- A reader sees the day's old total or its new one, never none.
{% set totals = schema | identifier ~ "." ~ totals_table | identifier %}

-- name: drop_day
DELETE FROM {{ totals }} WHERE day = CAST({{ day | literal }} AS DATE);

-- name: sum_up_day
INSERT INTO {{ totals }} (day, changed)
SELECT CAST({{ day | literal }} AS DATE), COUNT(*)
FROM {{ schema | identifier }}.{{ table | identifier }}
WHERE updated_at >= CAST({{ day | literal }} AS DATE)
  AND updated_at < CAST({{ day | literal }} AS DATE) + INTERVAL '1 day';
