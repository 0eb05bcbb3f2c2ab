SELECT run.id, run.fence
FROM inbox
JOIN run ON run.seq = inbox.run_seq
WHERE inbox.applied_at IS NULL AND inbox.kind = 'cancel' AND run.host = :host AND run.lease_until IS NOT NULL;
