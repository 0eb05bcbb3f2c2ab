-- Each row contradicts: a run costs what was settled for it.
SELECT seq AS run_seq FROM run WHERE NOT rebuilt AND cost <> (SELECT coalesce(sum(cost), 0) FROM step WHERE run_seq = run.seq) + (
    SELECT coalesce(sum(charged), 0) FROM attempt LEFT JOIN step USING (run_seq, stage, gate, rework, attempt)
    WHERE attempt.run_seq = run.seq AND step.id IS NULL);
