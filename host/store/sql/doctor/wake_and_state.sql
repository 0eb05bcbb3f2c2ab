-- Each row contradicts: only waiting runs have wakes.
SELECT run_seq FROM (SELECT run_seq FROM wake UNION SELECT run_seq FROM wake_delivery) AS waking
JOIN run ON run.seq = run_seq WHERE run.state <> 'waiting';
