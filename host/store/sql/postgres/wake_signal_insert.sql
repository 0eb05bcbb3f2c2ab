INSERT INTO wake_signal (run_seq, name) VALUES (:run, :name) ON CONFLICT DO NOTHING;
