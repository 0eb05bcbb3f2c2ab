-- Each row contradicts: an answer is awaited only by whoever drives the run.
SELECT run_seq FROM journal JOIN run ON run.seq = run_seq WHERE open AND run.lease_until IS NULL;
