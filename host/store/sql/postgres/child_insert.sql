INSERT INTO child (run_seq, entry_id) VALUES (:run, :entry) ON CONFLICT DO NOTHING;
