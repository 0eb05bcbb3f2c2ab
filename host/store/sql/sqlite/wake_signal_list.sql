SELECT run_seq FROM wake_signal INDEXED BY wake_signal_by_name
WHERE name = :name AND (:run IS NULL OR run_seq = :run)
ORDER BY run_seq;
