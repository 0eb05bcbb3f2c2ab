DELETE FROM ready
WHERE entry_id = :entry AND run_seq IS NULL AND (lane_id, rank_key) IS NOT (:lane, :rank_key);
