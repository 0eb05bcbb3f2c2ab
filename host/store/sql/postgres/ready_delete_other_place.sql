DELETE FROM ready
WHERE entry_id = :entry AND run_seq IS NULL AND (lane_id, rank_key) IS DISTINCT FROM (:lane, :rank_key);
