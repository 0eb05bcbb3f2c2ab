SELECT 1 FROM ready WHERE lane_id = :lane AND rank_key = :rank_key AND entry_id = :entry;
