INSERT INTO ask (run_seq, body) VALUES (:run, :body);
