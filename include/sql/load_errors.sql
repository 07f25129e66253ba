-- name: details
-- Why a COPY of a batch failed. The details survive the rollback of the transaction that met them.
SELECT file_name, column_name, column_type, error_message
FROM sys_load_error_detail
WHERE {% for id in batch_ids %}{{ "" if loop.first else "   OR " }}file_name LIKE {{ ("%/" ~ id ~ "/%") | literal }}
{% endfor %}
ORDER BY start_time DESC
LIMIT 1;
