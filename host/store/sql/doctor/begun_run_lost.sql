-- Each row contradicts: a running run that nobody drives has a row in the ready index.
SELECT run.seq AS run_seq FROM run LEFT JOIN ready ON ready.run_seq = run.seq
WHERE run.state = 'running' AND run.lease_until IS NULL AND ready.lane_id IS NULL;
