SELECT 1 FROM wake_delivery WHERE run_seq = :run AND condition = :condition LIMIT 1;
