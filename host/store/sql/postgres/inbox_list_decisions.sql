SELECT body FROM inbox WHERE run_seq = :run AND kind = 'decision' ORDER BY id;
