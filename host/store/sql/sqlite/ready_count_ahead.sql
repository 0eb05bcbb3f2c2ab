SELECT count(*) AS ahead, (SELECT waiting FROM lane WHERE id = :lane) AS waiting
FROM ready
WHERE lane_id = :lane AND (rank_key, entry_id) < (:rank_key, :entry);
