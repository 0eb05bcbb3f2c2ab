-- As `run_claim`, among the named entries.
SELECT rank_key, entry_id, run_seq
FROM ready INDEXED BY ready_by_entry
WHERE lane_id = :lane AND entry_id IN (SELECT value FROM json_each(:only))
ORDER BY rank_key, entry_id
LIMIT 1;
