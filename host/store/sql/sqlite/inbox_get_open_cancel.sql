SELECT 1 FROM inbox INDEXED BY inbox_cancel WHERE run_seq = :run AND kind = 'cancel' AND applied_at IS NULL;
