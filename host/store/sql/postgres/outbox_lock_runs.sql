-- The runs whose effects are delivered.
SELECT 1
FROM run
WHERE seq IN (SELECT run_seq FROM outbox
              WHERE id IN (SELECT CAST(value AS bigint) FROM jsonb_array_elements_text(CAST(:deliveries AS jsonb)) AS list (value)))
ORDER BY seq
FOR NO KEY UPDATE;
