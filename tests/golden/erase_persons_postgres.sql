-- lock_ledger
LOCK TABLE "app"."_tidemark_ledger__app_events" IN EXCLUSIVE MODE

-- enter_ledger
INSERT INTO "app"."_tidemark_ledger__app_events"
    (batch_id, kind, read_from, read_to, low, high, as_of, rows_staged, rows_merged, rows_stale,
     rows_set_aside, checksum, loaded_at, statement_id)
SELECT 'erase-fb680b52978fcdd0-c0-start-20260301T123000000000', 'erasure', CAST('2026-03-01 12:30:00.000000' AS TIMESTAMP),
       CAST('2026-03-01 12:30:00.000000' AS TIMESTAMP), CAST(NULL AS TIMESTAMP),
       CAST('2026-03-01 12:30:00.000000' AS TIMESTAMP), CAST(NULL AS TIMESTAMP), there, there, 0, 0,
       'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', (SELECT CLOCK_TIMESTAMP() AT TIME ZONE 'UTC'), 'token'
FROM (
    SELECT COUNT(*) AS there
    FROM "app"."app_events"
    WHERE "app"."app_events"."created_at" <= CAST('2026-03-01 12:30:00.000000' AS TIMESTAMP)
  AND (ENCODE(SHA256(CONVERT_TO("app"."app_events"."device_id", 'UTF8')), 'hex') IN ('2e7d2c03a9507ae265ecf5b5356885a53393a2029d241394997265a1a25aefc6')
       OR ENCODE(SHA256(CONVERT_TO("app"."app_events"."user_id", 'UTF8')), 'hex') IN ('ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb', '3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d'))
) AS counted
WHERE NOT EXISTS (SELECT 1 FROM "app"."_tidemark_ledger__app_events" WHERE batch_id = 'erase-fb680b52978fcdd0-c0-start-20260301T123000000000')

-- delete_events
DELETE FROM "app"."app_events"
WHERE "app"."app_events"."created_at" <= CAST('2026-03-01 12:30:00.000000' AS TIMESTAMP)
  AND (ENCODE(SHA256(CONVERT_TO("app"."app_events"."device_id", 'UTF8')), 'hex') IN ('2e7d2c03a9507ae265ecf5b5356885a53393a2029d241394997265a1a25aefc6')
       OR ENCODE(SHA256(CONVERT_TO("app"."app_events"."user_id", 'UTF8')), 'hex') IN ('ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb', '3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d'))

-- forget_request
DELETE FROM "app"."_tidemark_forgotten__app_events" WHERE batch_id = 'erase-fb680b52978fcdd0-c0-start-20260301T123000000000'

-- remember_persons
INSERT INTO "app"."_tidemark_forgotten__app_events" (person_column, digest, came_until, batch_id) VALUES
    ('device_id', '2e7d2c03a9507ae265ecf5b5356885a53393a2029d241394997265a1a25aefc6', CAST('2026-03-01 12:30:00.000000' AS TIMESTAMP), 'erase-fb680b52978fcdd0-c0-start-20260301T123000000000'),
    ('user_id', 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb', CAST('2026-03-01 12:30:00.000000' AS TIMESTAMP), 'erase-fb680b52978fcdd0-c0-start-20260301T123000000000'),
    ('user_id', '3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d', CAST('2026-03-01 12:30:00.000000' AS TIMESTAMP), 'erase-fb680b52978fcdd0-c0-start-20260301T123000000000')

