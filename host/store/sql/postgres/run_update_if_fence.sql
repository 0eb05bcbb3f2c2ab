-- `held` is the fence that the caller read. Where somebody else changed the run meanwhile, the row cannot be written, and nothing of the
-- transaction is kept: how many rows this changes is told together with the `COMMIT`, which is too late.
UPDATE run
SET state = :state, reason = :reason, fence = CASE fence WHEN :held THEN CAST(:fence AS bigint) END, host = :host, lease_until = :lease_until,
    crashes = :crashes, ended_at = :ended_at, cost = :cost, escrow = :escrow, chain_events = :chain_events, chain_hash = :chain_hash
WHERE seq = :seq;
