INSERT INTO inbox (run_seq, sent_at, who, kind, body) VALUES (:run, :now, :who, :kind, :body);
