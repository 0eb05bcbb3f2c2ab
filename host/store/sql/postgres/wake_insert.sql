INSERT INTO wake (run_seq, at) VALUES (:run, :at) ON CONFLICT DO NOTHING;
