-- Runs that are driven and were sent something: a cancellation. Whatever else is sent is applied as it comes, or when the run that waited
-- for it is claimed.
SELECT run.id, run.fence
FROM inbox
JOIN run ON run.seq = inbox.run_seq
WHERE inbox.applied_at IS NULL AND run.host = :host AND run.lease_until IS NOT NULL;
