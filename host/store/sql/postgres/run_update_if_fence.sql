-- `held` is the fence that the caller read: a run that somebody else changed meanwhile stays as it is.
UPDATE run
SET state = :state, reason = :reason, fence = :fence, host = :host, lease_until = :lease_until, crashes = :crashes,
    ended_at = :ended_at, cost = :cost, escrow = :escrow, chain_events = :chain_events, chain_hash = :chain_hash
WHERE seq = :seq AND fence = :held;
