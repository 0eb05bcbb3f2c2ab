INSERT INTO wake_delivery (run_seq, condition, outbox_id) VALUES (:run, :condition, :outbox) ON CONFLICT DO NOTHING;
