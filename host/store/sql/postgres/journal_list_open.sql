SELECT journal.stage, journal.gate, journal.rework, journal.attempt, call, intent, plugin
FROM journal
JOIN attempt USING (run_seq, stage, gate, rework, attempt)
WHERE run_seq = :run AND open = true;
