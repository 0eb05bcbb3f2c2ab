INSERT INTO ready (lane_id, rank_key, entry_id, run_seq) VALUES (:lane, :rank_key, :entry, :run) ON CONFLICT DO NOTHING;
