SELECT begun, charged FROM attempt
WHERE run_seq = :run AND stage = :stage AND gate = :gate AND rework = :rework AND attempt = :attempt;
