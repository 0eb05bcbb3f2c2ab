INSERT INTO step (run_seq, stage, gate, rework, attempt, body) VALUES (:run, :stage, :gate, :rework, :attempt, :body);
