-- The intent of an answer that was lost is open again.
INSERT INTO journal (run_seq, stage, gate, rework, attempt, call, intent, open)
VALUES (:run, :stage, :gate, :rework, :attempt, :call, :intent, true)
ON CONFLICT (run_seq, stage, gate, rework, attempt, call) DO UPDATE SET open = true;
