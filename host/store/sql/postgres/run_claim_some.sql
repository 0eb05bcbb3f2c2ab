-- The first places of a lane, for those who claim together; as `run_claim`.
SELECT rank_key, entry_id, run_seq, (SELECT max(child.run_seq) FROM child WHERE child.entry_id = ready.entry_id) AS payer
FROM ready
WHERE lane_id = :lane
ORDER BY rank_key, entry_id
LIMIT 8
FOR UPDATE OF ready SKIP LOCKED;
