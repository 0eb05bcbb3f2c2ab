DELETE FROM wake_delivery WHERE outbox_id = :outbox RETURNING run_seq, condition;
