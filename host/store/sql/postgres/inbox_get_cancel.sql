SELECT body FROM inbox WHERE run_seq = :run AND kind = 'cancel';
