INSERT INTO event (run_seq, seq, at, kind, body, hash) VALUES (:run, :seq, :at, :kind, :body, :hash);
