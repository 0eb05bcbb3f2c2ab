SELECT lane_id, rank_key, score_thousandths, terms, due_at, former_key FROM place WHERE entry_id = :entry;
