SELECT id, kind, body FROM inbox WHERE run_seq = :run AND applied_at IS NULL ORDER BY id;
