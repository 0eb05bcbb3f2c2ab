SELECT id, kind, body FROM inbox INDEXED BY inbox_open WHERE run_seq = :run AND applied_at IS NULL ORDER BY id;
