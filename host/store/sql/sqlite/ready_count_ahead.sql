SELECT count(*) AS ahead FROM ready WHERE lane_id = :lane AND (rank_key, entry_id) < (:rank_key, :entry);
