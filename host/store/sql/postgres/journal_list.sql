SELECT intent, answer FROM journal
WHERE run_seq = :run AND stage = :stage AND gate = :gate AND rework = :rework AND attempt = :attempt
ORDER BY call;
