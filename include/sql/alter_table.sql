-- Bring a table to the columns of a batch. Nothing is dropped, narrowed or renamed.
--
-- Sent one by one, each committed by itself: Redshift widens no column inside a transaction, and
-- adds one column a statement. Another load may be doing the same; whoever fails looks again.
{% set target = schema | identifier ~ "." ~ table | identifier %}

{% for column in added %}
-- name: add_{{ loop.index }}
-- NULL in the rows that are there, so it cannot be NOT NULL.
ALTER TABLE {{ target }} ADD COLUMN {{ column.name | identifier }} {{ column.redshift | type }};

{% endfor %}
{% for column in widened %}
-- name: widen_{{ loop.index }}
ALTER TABLE {{ target }} ALTER COLUMN {{ column.name | identifier }} TYPE {{ column.redshift | type }};

{% endfor %}
