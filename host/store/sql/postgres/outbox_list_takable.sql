-- The oldest unsettled delivery of each entry, if it is due and nobody sends it, or is about to.
SELECT id
FROM outbox
WHERE state = 'waiting' AND next_at <= :now
  AND NOT EXISTS (
      SELECT 1 FROM outbox AS earlier
      WHERE earlier.entry_id = outbox.entry_id AND earlier.state <> 'settled' AND earlier.id < outbox.id)
ORDER BY next_at, id
LIMIT :max
FOR NO KEY UPDATE OF outbox SKIP LOCKED;
