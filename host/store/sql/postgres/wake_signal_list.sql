SELECT run_seq FROM wake_signal
WHERE name = :name AND (CAST(:run AS bigint) IS NULL OR run_seq = :run)
ORDER BY run_seq;
