-- The intent of an answer that was lost is open again.
INSERT INTO journal (run_seq, stage, gate, rework, attempt, call, intent, open)
VALUES (:run, :stage, :gate, :rework, :attempt, :call, :intent, 1)
ON CONFLICT DO UPDATE SET open = 1;
