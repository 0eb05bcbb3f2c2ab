SELECT seq, id, entry_id, lane_id, backlog, revision, pins, rank_key, state, reason, fence, host, lease_until, crashes,
       ended_at, cost, escrow, chain_events, chain_hash, payer
FROM run
WHERE id = :id;
