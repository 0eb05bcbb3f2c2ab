SELECT 1 FROM inbox WHERE run_seq = :run AND kind = 'cancel' AND applied_at IS NULL;
