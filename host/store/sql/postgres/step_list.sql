SELECT body FROM step WHERE run_seq = :run ORDER BY id;
