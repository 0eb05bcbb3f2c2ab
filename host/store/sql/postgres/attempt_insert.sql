INSERT INTO attempt (run_seq, stage, gate, rework, attempt, plugin, begun, charged)
VALUES (:run, :stage, :gate, :rework, :attempt, :plugin, :begun, 0)
ON CONFLICT DO NOTHING;
