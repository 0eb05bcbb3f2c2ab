SELECT seq, at, kind, body, hash FROM event WHERE run_seq = :run ORDER BY seq;
