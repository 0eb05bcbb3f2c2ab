-- The head of a lane: one descent of the ready index, however much waits in it. Begun runs come before entries. What another claim is
-- about to take is stepped over.
SELECT rank_key, entry_id, run_seq FROM ready WHERE lane_id = :lane ORDER BY rank_key, entry_id LIMIT 1
FOR UPDATE SKIP LOCKED;
