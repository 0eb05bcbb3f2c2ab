INSERT INTO wake_children (run_seq) VALUES (:run) ON CONFLICT DO NOTHING;
