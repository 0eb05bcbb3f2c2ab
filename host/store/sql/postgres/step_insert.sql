INSERT INTO step (run_seq, stage, gate, rework, attempt, plugin, settled_at, fuel, cost, body)
VALUES (:run, :stage, :gate, :rework, :attempt, :plugin, :now, :fuel, :cost, :body);
