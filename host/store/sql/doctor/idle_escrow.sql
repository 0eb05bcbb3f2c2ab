-- Each row contradicts: a run that nobody drives has nothing set aside.
SELECT seq AS run_seq FROM run WHERE lease_until IS NULL AND escrow <> 0;
