SELECT body FROM inbox WHERE run_seq = :run AND kind = 'decision' AND applied_at IS NOT NULL ORDER BY id;
