SELECT lane_id, rank_key, score_thousandths, terms FROM place WHERE entry_id = :entry;
