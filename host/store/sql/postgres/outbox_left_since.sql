-- Whether a run left the entry since a reading of its source began: then the reading may have seen it where it was before.
SELECT 1
FROM run
JOIN outbox ON outbox.run_seq = run.seq
WHERE run.entry_id = :entry AND outbox.kind = 'leave'
  AND (outbox.settled_at IS NULL OR outbox.settled_at >= (SELECT begun_at FROM reconcile WHERE id = :reconcile))
LIMIT 1;
