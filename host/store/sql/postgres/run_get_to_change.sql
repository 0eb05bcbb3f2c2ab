-- FOR NO KEY UPDATE: a row that names the run may be inserted meanwhile.
SELECT seq, id, entry_id, lane_id, backlog, revision, pins, rank_key, state, reason, fence, host, lease_until, crashes,
       ended_at, cost, escrow, chain_events, chain_hash, payer
FROM run
WHERE id = :id
FOR NO KEY UPDATE;
