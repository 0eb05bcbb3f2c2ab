INSERT INTO event_pack (run_seq, events, body) VALUES (:run, :events, :body)
ON CONFLICT DO NOTHING;
